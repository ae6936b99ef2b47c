package solver

import (
	"context"
	"fmt"

	"github.com/edgeshard/edgeshard"
)

// Plan finds the plan of a model on a topology for a workload: stages, their
// prediction, and how it came to be. It fails as Solve does.
func Plan(ctx context.Context, s edgeshard.Spec, ref edgeshard.ModelRef, w edgeshard.Workload, o Options) (*edgeshard.Plan, error) {
	p, _, err := PlanResult(ctx, s, ref, w, o)
	return p, err
}

// PlanResult is Plan with the result behind the plan, for those who ask it on.
func PlanResult(ctx context.Context, s edgeshard.Spec, ref edgeshard.ModelRef, w edgeshard.Workload, o Options) (*edgeshard.Plan, *Result, error) {
	if o.Objective = o.objective(); o.Objective != edgeshard.Latency && o.Objective != edgeshard.Throughput {
		return nil, nil, fmt.Errorf("unknown objective %q: want %s or %s", o.Objective, edgeshard.Latency, edgeshard.Throughput)
	}
	r, w, err := solveWorkload(ctx, s, w, o)
	if err != nil {
		return nil, nil, err
	}
	p := &edgeshard.Plan{Model: ref, Topology: s.Topology, Profiles: s.Profiles, Workload: w, Objective: o.Objective, Stages: r.Stages}
	if err := p.Validate(); err != nil {
		return nil, nil, err
	}
	costs, err := edgeshard.NewCosts(s)
	if err != nil {
		return nil, nil, err
	}
	p.Predict(costs)
	p.ObjectiveMS, p.Solver = r.milliseconds(r.Objective()), r.solution(o)
	return p, r, nil
}

// solveWorkload solves the problem of a workload, or of the best of the batches
// the options allow.
func solveWorkload(ctx context.Context, s edgeshard.Spec, w edgeshard.Workload, o Options) (*Result, edgeshard.Workload, error) {
	p, err := New(s, w, o)
	if err != nil {
		return nil, w, err
	}
	r, err := Solve(ctx, p, o)
	return r, w, err
}

// milliseconds states an objective as a plan does: a request's time, or for
// throughput the period per micro-batch.
func (r *Result) milliseconds(objective int64) float64 {
	ms := float64(objective) / 1e6
	if r.Problem.Objective == edgeshard.Throughput {
		ms /= float64(r.Problem.MicroBatches)
	}
	return ms
}

func (r *Result) solution(o Options) edgeshard.Solution {
	name := o.Solver
	if name == "" {
		name = Exact
	}
	return edgeshard.Solution{
		Name: name, Proved: r.Proved, LowerBound: r.milliseconds(r.Bound), Gap: r.Gap(),
		ElapsedMS: edgeshard.Milliseconds(r.Elapsed), Note: r.Note,
	}
}
