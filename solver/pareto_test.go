package solver

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
)

// allValues returns the values of all plans.
func allValues(p *Problem) []Value {
	var values []Value
	everyPlan(p, func(stages []edgeshard.Stage) { values = append(values, p.Value(stages)) })
	return values
}

func TestParetoIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 5, 3)
		p.Objective, p.Revisits, p.MaxLoop, p.MaxRequest = edgeshard.Latency, false, never, never
		skipExcluded(t, p)
		front, err := Pareto(context.Background(), p, Options{})
		values := allValues(p)
		if (err == nil) != (len(values) > 0) {
			t.Fatalf("%d plans, %v", len(values), err)
		}
		k := p.MicroBatches
		beats := func(a, b Value) bool {
			return a.Request <= b.Request && a.Round(k) <= b.Round(k) && (a.Request < b.Request || a.Round(k) < b.Round(k))
		}
		want := make(map[[2]int64]bool)
		for _, v := range values {
			want[[2]int64{v.Request, v.Round(k)}] = true
			for _, o := range values {
				if beats(o, v) {
					delete(want, [2]int64{v.Request, v.Round(k)})
				}
			}
		}
		if len(front) != len(want) {
			t.Fatalf("%d points, want %d", len(front), len(want))
		}
		for _, r := range front {
			if !r.Proved || !want[[2]int64{r.Value.Request, r.Value.Round(k)}] {
				t.Fatalf("%+v is not on the front", r.Value)
			}
		}
	})
}
