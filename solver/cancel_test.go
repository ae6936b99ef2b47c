package solver_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// watched is a context that is cancelled at a look at it.
type watched struct {
	context.Context
	until, looks int
	last         time.Time
	longest      time.Duration // between two looks
}

func (w *watched) Err() error {
	now := time.Now()
	if w.looks++; w.looks > 1 {
		w.longest = max(w.longest, now.Sub(w.last))
	}
	w.last = now
	if w.looks > w.until {
		return context.Canceled
	}
	return nil
}

type cancelCase struct {
	name  string
	p     *solver.Problem
	o     solver.Options
	looks int // of the benchmark: some seconds' worth
}

// cancelCases are the largest instances, both objectives, and the paper's 2^M algorithm.
func cancelCases(t testing.TB) []cancelCase {
	large, slow := solver.Clusters["256"].Problem(2), solver.Clusters["64"].Problem(9)
	throughput := *slow
	throughput.Objective, throughput.MicroBatches = edgeshard.Throughput, 64
	distinct := randomJob(t, 62, wide())
	p, err := solver.New(distinct.Spec(), wide(), solver.Options{Objective: edgeshard.Throughput})
	if err != nil {
		t.Fatal(err)
	}
	return []cancelCase{
		{"latency, 256 devices", large, solver.Options{}, 3e6},
		{"latency, 64 devices", slow, solver.Options{}, 3e6},
		{"throughput, 64 devices", &throughput, solver.Options{}, 3e6},
		{"2^M, 13 devices", p, solver.Options{Solver: "edgeshard"}, 3000},
	}
}

// Whenever a solve is cancelled, early or late, it says so, and ends at the looks
// that its loops take on the way out. BenchmarkCancel tells how far looks are apart.
func TestCancel(t *testing.T) {
	for _, c := range cancelCases(t) {
		for until := 0; until < min(c.looks, 15000); until = 3*until + 1 {
			w := &watched{Context: t.Context(), until: until}
			_, err := solver.Solve(w, c.p, c.o)
			if after := w.looks - until; !errors.Is(err, context.Canceled) || after > 100 {
				t.Errorf("%s, cancelled at look %d: %v after %d more looks", c.name, until, err, after)
			}
		}
	}
}

// BenchmarkCancel reports the longest that a solve worked between two looks at its
// context, which is how late it can hear that it is cancelled.
func BenchmarkCancel(b *testing.B) {
	for _, c := range cancelCases(b) {
		b.Run(c.name, func(b *testing.B) {
			var w watched
			for b.Loop() {
				w = watched{Context: b.Context(), until: c.looks}
				_, _ = solver.Solve(&w, c.p, c.o)
			}
			b.ReportMetric(float64(w.longest)/1e6, "ms-unlooked")
			b.ReportMetric(float64(w.looks), "looks")
		})
	}
}
