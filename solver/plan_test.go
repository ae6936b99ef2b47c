package solver_test

import (
	"context"
	"testing"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// builtin returns the spec of a built-in model on a built-in topology.
func builtin(t testing.TB, topology, model string) (edgeshard.Spec, edgeshard.ModelRef) {
	t.Helper()
	top, err := topologies.Load(topology)
	if err != nil {
		t.Fatal(err)
	}
	config, ok := models.Builtin(model)
	if !ok {
		t.Fatalf("no model %s", model)
	}
	return edgeshard.Spec{Model: config, Topology: top}, edgeshard.ModelRef{Ref: model, Config: config}
}

// wide is a workload with work for a pipeline.
func wide() edgeshard.Workload {
	w := edgeshard.DefaultWorkload()
	w.Requests, w.Batch, w.MicroBatch = 8, 8, 2
	return w
}

func TestPlanTestbed(t *testing.T) {
	for _, model := range []string{"llama2-7b", "llama2-13b", "llama2-70b"} {
		spec, ref := builtin(t, "edgeshard-testbed", model)
		for _, o := range []solver.Options{{}, {Constraints: solver.Constraints{OneVisit: true}}, {Objective: edgeshard.Throughput}, {Constraints: solver.Constraints{Tail: 1, OneVisit: true}}, {Objective: edgeshard.Throughput, Constraints: solver.Constraints{Tail: 1}}} {
			w := edgeshard.DefaultWorkload()
			if o.Objective == edgeshard.Throughput {
				w = wide()
			}
			p, r, err := solver.Plan(context.Background(), edgeshard.Plan{Model: ref, Topology: spec.Topology, Profiles: spec.Profiles, Workload: w}, o)
			if err != nil {
				t.Errorf("%s: %v", model, err)
				continue
			}
			t.Logf("%s %+v: %v %.2f ms proved %t %+v %.2f ms", model, o, p.Stages, p.ObjectiveMS, r.Proved, r.Stats, p.Solver.ElapsedMS)
		}
	}
}
