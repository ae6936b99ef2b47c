package solver_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/solver/verify"
	"github.com/edgeshard/edgeshard/topologies"
)

// job returns the job of a built-in model on a built-in topology.
func job(t testing.TB, topology, model string, w edgeshard.Workload) edgeshard.Plan {
	t.Helper()
	top, err := topologies.Load(topology)
	if err != nil {
		t.Fatal(err)
	}
	config, ok := models.Builtin(model)
	if !ok {
		t.Fatalf("no model %s", model)
	}
	return edgeshard.Plan{Model: edgeshard.ModelRef{Ref: model, Config: config}, Topology: top, Workload: w}
}

// wide is a workload with work for a pipeline.
func wide() edgeshard.Workload {
	w := edgeshard.DefaultWorkload()
	w.Requests, w.Batch, w.MicroBatch = 8, 8, 2
	return w
}

// Every plan of the testbed is proved, its certificate holds, and for latency the
// objective is the predicted makespan to the nanosecond.
func TestPlanTestbed(t *testing.T) {
	for _, model := range []string{"llama2-7b", "llama2-13b", "llama2-70b"} {
		for _, o := range []solver.Options{
			{}, {Objective: edgeshard.Throughput},
			{Constraints: solver.Constraints{OneVisit: true}},
			{Constraints: solver.Constraints{Tail: 1, OneVisit: true}},
			{Objective: edgeshard.Throughput, Constraints: solver.Constraints{Tail: 1}},
		} {
			t.Run(fmt.Sprint(model, o.Objective, o.Constraints.OneVisit, o.Constraints.Tail), func(t *testing.T) { checkTestbed(t, model, o) })
		}
	}
}

func checkTestbed(t *testing.T, model string, o solver.Options) {
	w := edgeshard.DefaultWorkload()
	if o.Objective == edgeshard.Throughput {
		w = wide()
	}
	p, r, err := solver.Plan(context.Background(), job(t, "edgeshard-testbed", model, w), o)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Solver.Proved || p.Solver.Gap != 0 || p.Solver.LowerBound != p.ObjectiveMS {
		t.Errorf("not proved: %+v", p.Solver)
	}
	if err := verify.Check(r.Problem, roundTrip(t, r.Certificate(o.Constraints))); err != nil {
		t.Error(err)
	}
	if got := p.Predicted.MakespanS * 1e9; o.Objective != edgeshard.Throughput && math.Abs(got-float64(r.Objective())) > .5 {
		t.Errorf("objective %d ns, predicted makespan %.1f ns", r.Objective(), got)
	}
	t.Log(p.Stages, p.ObjectiveMS, r.Stats, r.Elapsed)
}

// A batch chosen with the plan is never worse than one given.
func TestChosenBatch(t *testing.T) {
	chosen, _, err := solver.Plan(context.Background(), job(t, "edgeshard-testbed", "llama2-7b", wide()), solver.Options{Objective: edgeshard.Throughput, MaxBatch: 8})
	if err != nil {
		t.Fatal(err)
	}
	perToken := func(p *edgeshard.Plan) float64 { return p.ObjectiveMS / float64(p.Workload.MicroBatch) }
	for micro := 1; micro <= 8; micro *= 2 {
		w := wide()
		w.MicroBatch = micro
		given, _, err := solver.Plan(context.Background(), job(t, "edgeshard-testbed", "llama2-7b", w), solver.Options{Objective: edgeshard.Throughput})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("micro-batch %d: %.3f ms a token", micro, perToken(given))
		if perToken(given) < perToken(chosen)*(1-1e-12) {
			t.Errorf("micro-batch %d: %g ms a token, chosen batch %d in %d: %g", micro, perToken(given), chosen.Workload.Batch, chosen.Workload.MicroBatch, perToken(chosen))
		}
	}
	t.Logf("chosen %d in %d: %.3f ms a token", chosen.Workload.Batch, chosen.Workload.MicroBatch, perToken(chosen))
}
