package solver

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard"
)

// Plan plans a job: a plan's model, topology, profiles and workload, its stages
// yet to be found. It returns the job with stages, prediction and how they came
// to be, and the result behind them. The options' objective replaces the job's.
// It fails as Solve does.
func Plan(ctx context.Context, job edgeshard.Plan, o Options) (*edgeshard.Plan, *Result, error) {
	if o.Objective == "" {
		o.Objective = job.Objective
	}
	if o.Objective = o.objective(); o.Objective != edgeshard.Latency && o.Objective != edgeshard.Throughput && o.Objective != edgeshard.Energy {
		return nil, nil, fmt.Errorf("unknown objective %q: want %s, %s or %s", o.Objective, edgeshard.Latency, edgeshard.Throughput, edgeshard.Energy)
	}
	r, w, err := solveWorkload(ctx, job.Spec(), job.Workload, o)
	if err != nil {
		return nil, nil, err
	}
	job.Workload, job.Objective, job.Stages = w, o.Objective, r.Stages
	if err := job.Validate(); err != nil {
		return nil, nil, err
	}
	costs, err := job.Costs()
	if err != nil {
		return nil, nil, err
	}
	job.Predict(costs)
	job.ObjectiveMS, job.Solver = r.milliseconds(r.Objective()), r.solution(o)
	if o.Objective == edgeshard.Energy {
		job.ObjectiveMJ, job.ObjectiveMS = job.ObjectiveMS, edgeshard.Milliseconds(time.Duration(r.Value.Loop))
		job.Solver.LowerBound, job.Solver.LowerBoundMJ = 0, job.Solver.LowerBound
	}
	return &job, r, nil
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
