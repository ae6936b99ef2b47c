package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
	"github.com/edgeshard/edgeshard/tui"
)

// tuiDeadline is how long the screen lets a solver look for a proof, unless a
// deadline is given.
const tuiDeadline = 5 * time.Second

// A planner solves questions, each with the last result as a hint.
type planner struct {
	options solver.Options // what a question does not say
	mu      sync.Mutex
	last    answered // by the exact solver
}

// answered is a question, in JSON, with its answer and what has been explained of it.
type answered struct {
	question string
	plan     *edgeshard.Plan
	result   *solver.Result
	findings map[tui.Subject]solver.Explanation
}

func (p *planner) plan(ctx context.Context, q *tui.Question) (*edgeshard.Plan, error) {
	plan, _, err := p.solve(ctx, q)
	return plan, err
}

func (p *planner) solve(ctx context.Context, q *tui.Question) (*edgeshard.Plan, *solver.Result, error) {
	job, err := jobOf(q)
	if err != nil {
		return nil, nil, err
	}
	plan, result, err := solver.Plan(ctx, job, p.optionsOf(q))
	if err != nil || q.Solver != solver.Exact {
		return plan, result, err
	}
	key, err := json.Marshal(q)
	if err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = answered{string(key), plan, result, make(map[tui.Subject]solver.Explanation)}
	return plan, result, nil
}

// optionsOf are the options a question is solved with.
func (p *planner) optionsOf(q *tui.Question) solver.Options {
	o := p.options
	o.Solver, o.Objective, o.Private, o.Tail, o.Exclude, o.Pins = q.Solver, q.Objective, q.Private, q.Tail, q.Off, q.Pins
	if o.Deadline == 0 {
		o.Deadline = tuiDeadline
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o.Hint = p.last.result
	return o
}

// front returns the plans that none beats in both latency and throughput.
func (p *planner) front(ctx context.Context, q *tui.Question) ([]*edgeshard.Plan, error) {
	job, err := jobOf(q)
	if err != nil {
		return nil, err
	}
	o := p.optionsOf(q)
	problem, err := solver.New(job.Spec(), job.Workload, o)
	if err != nil {
		return nil, err
	}
	costs, err := job.Costs()
	if err != nil {
		return nil, err
	}
	results, err := solver.Pareto(ctx, problem, o)
	var plans []*edgeshard.Plan
	for _, r := range results {
		plan := job
		plan.Stages, plan.Objective, plan.ObjectiveMS = r.Stages, edgeshard.Latency, float64(r.Value.Request)/1e6
		plan.Solver = edgeshard.Solution{Name: solver.Exact, Proved: r.Proved, Gap: r.Gap()}
		plan.Predict(costs)
		// The solver's throughput is that of the steady state; over a whole run a plan
		// may lose what it wins there.
		if n := len(plans); n == 0 || plan.Predicted.Throughput > plans[n-1].Predicted.Throughput {
			plans = append(plans, &plan)
		}
	}
	return plans, err
}

// jobOf returns a question as a plan yet without stages. Profiles are read where
// the question does not hold them.
func jobOf(q *tui.Question) (edgeshard.Plan, error) {
	job := edgeshard.Plan{Model: q.Model, Topology: q.Topology, Profiles: q.Profiles, Workload: q.Workload, Objective: q.Objective}
	missing := slices.ContainsFunc(q.Topology.Devices, func(d topologies.Device) bool {
		return d.Profile != "" && q.Profiles[d.Profile] == nil
	})
	if !missing {
		return job, nil
	}
	var err error
	job.Profiles, err = edgeshard.LoadProfiles(q.Topology, q.Model.Config, filepath.Dir(q.File))
	return job, err
}
