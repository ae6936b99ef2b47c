package solver

import (
	"context"
	"testing"
)

func TestExactTestbed(t *testing.T) {
	for _, c := range []struct {
		budget, factor, greedy, exact float64
		plan                          string
	}{
		{18.6, 1, 82.55, 75.21, "agxa[0-7] agxb[8-8] 3090[9-33]"},
		{18.6, .8067, 73.42, 66.71, "agxa[0-7] agxb[8-8] 3090[9-33]"},
		{22, 1, 60.45, 56.85, "agxa[0-3] agxb[4-4] 3090[5-33]"},
		{20, 1, 73.77, 70.64, "agxa[0-6] agxb[7-7] 3090[8-33]"},
	} {
		p := testbed(t, c.budget, c.factor)
		for solver, want := range map[string]float64{"edgeshard": c.greedy, "exact": c.exact} {
			r, err := Solve(context.Background(), p, Options{Solver: solver})
			if err != nil {
				t.Fatal(err)
			}
			if got := float64(r.Objective()) / 1e6; got < want-.005 || got >= want+.005 {
				t.Errorf("budget %g factor %g: %s gives %.4f ms, want %.2f: %s", c.budget, c.factor, solver, got, want, shape(r.Stages))
			}
			if solver == "exact" && (shape(r.Stages) != c.plan || !r.Proved) {
				t.Errorf("budget %g factor %g: plan %s, proved %t, want %s", c.budget, c.factor, shape(r.Stages), r.Proved, c.plan)
			}
			t.Log(solver, shape(r.Stages), r.Objective(), r.Elapsed, r.Stats)
		}
	}
}
