package solver

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Lifting any reason but those of memory gives a plan, and so does the memory
// that is said to be missing.
func TestReasonsAreNeeded(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 6, 4)
		_, err := Solve(context.Background(), p, Options{})
		none := (*Infeasible)(nil)
		if !errors.As(err, &none) {
			return
		}
		seen++
		if len(none.Reasons) == 0 {
			t.Fatal("no reason")
		}
		for _, r := range p.restraints() {
			if !strings.Contains(err.Error(), r.text) {
				continue
			}
			q := p.bounded()
			q.unlimited()
			for _, other := range p.restraints() {
				if !strings.Contains(err.Error(), other.text) || other.text == r.text {
					other.lift(q)
				}
			}
			if bruteForce(q) >= never {
				t.Fatalf("%v: without %q there is still no plan", err, r.text)
			}
		}
	})
	if seen == 0 {
		t.Error("no infeasible problem was drawn")
	}
}

func TestMissingMemory(t *testing.T) {
	p := testbed(t, 18.6, 1)
	for k := range p.Classes {
		p.Classes[k].Budget /= 17
	}
	_, err := Solve(context.Background(), p, Options{})
	none := (*Infeasible)(nil)
	if !errors.As(err, &none) || none.Reasons[0].Missing <= 0 {
		t.Fatalf("got %v, want missing bytes", err)
	}
	t.Log(err)
	start := time.Now()
	defer func() { t.Log(time.Since(start)) }()
	r := none.Reasons[0]
	for d := range p.Devices {
		if p.Devices[d].Name == r.Device {
			q := p.Apart([]int{d})
			q.Classes[q.Devices[d].Class].Budget += r.Missing
			if _, err := Solve(context.Background(), q, Options{}); err != nil {
				t.Errorf("with %d bytes more on %s: %v", r.Missing, r.Device, err)
			}
			q.Classes[q.Devices[d].Class].Budget--
			if _, err := Solve(context.Background(), q, Options{}); err == nil {
				t.Errorf("with %d bytes more on %s there is a plan already", r.Missing-1, r.Device)
			}
		}
	}
}
