package main

import (
	"context"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
)

// scenarioRunner simulates, under a scenario if there is one; survivors of a death are
// planned for with the shared solver.
type scenarioRunner struct{ scenario string }

var _ edgeshard.Runner = scenarioRunner{}

// Run reads the scenario for the plan's topology and simulates the plan.
func (r scenarioRunner) Run(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error {
	s, err := r.under(p)
	if err != nil {
		return err
	}
	return s.Run(ctx, p, obs)
}

// Bands tells within which bounds the run's figures lie.
func (r scenarioRunner) Bands(ctx context.Context, p *edgeshard.Plan) (map[string]edgeshard.Band, error) {
	s, err := r.under(p)
	if err != nil {
		return nil, err
	}
	return s.Bands(ctx, p, time.Now(), p.Workload.Seed)
}

// under returns the simulator of a plan under the scenario.
func (r scenarioRunner) under(p *edgeshard.Plan) (*sim.Runner, error) {
	s := &sim.Runner{Replan: replan}
	var err error
	if r.scenario != "" {
		s.Scenario, err = scenarios.Load(r.scenario, p.Topology)
	}
	return s, err
}

// replan solves a plan's problem again without the lost devices.
func replan(ctx context.Context, p *edgeshard.Plan, lost []int) (*edgeshard.Plan, error) {
	o := solver.Options{Objective: p.Objective}
	for _, d := range lost {
		o.Exclude = append(o.Exclude, p.Topology.Devices[d].Name)
	}
	q, _, err := solver.Plan(ctx, *p, o)
	return q, err
}
