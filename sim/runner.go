// Package sim runs a plan in virtual time: the pipeline of its stages as a
// discrete-event simulation, with queues at devices and links and the memory of
// every device. It yields the spans a real run would.
package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
)

// A Runner simulates runs. The zero value is ready for use.
type Runner struct {
	// Costs replaces the plan's own costs, if not nil.
	Costs edgeshard.Costs
	// SlowPath simulates every batch event by event, also where a batch like it
	// has been simulated and nothing can interfere. Its spans are the same.
	SlowPath bool
	// Scenario says what differs from the topology during the run; nil: nothing.
	Scenario *scenarios.Scenario
	// Replan makes a new plan without the lost devices, for scenarios whose
	// recovery plans anew. The plan's topology must be the same.
	Replan func(ctx context.Context, p *edgeshard.Plan, lost []int) (*edgeshard.Plan, error)
	// MaxPasses bounds a run, in passes of a micro-batch through the pipeline; 0
	// stands for 10⁹.
	MaxPasses int64
}

var _ edgeshard.Runner = (*Runner)(nil)

// horizon is the longest run in virtual time. What ends at never, or later, is
// beyond it; the sum of two such times does not overflow.
const (
	horizon = 50 * 365 * 24 * time.Hour
	never   = 2 * horizon
)

// errHorizon ends a run that has become longer than any deadline.
var errHorizon = errors.New("the run takes more than 50 years of virtual time: a link or device of it is next to stopped")

// Run simulates the plan's workload. It fails at once where weights do not fit
// a device, with an *edgeshard.OutOfMemory; a request whose KV cache does not
// fit when it is admitted is given up with an OOM span, and one whose device dies
// with a Failed span. Spans come in the order of their ends, but for loads and
// plannings, which are told when they begin; the same for the same inputs.
func (r *Runner) Run(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := r.bound(&p.Workload); err != nil {
		return err
	}
	costs, err := r.costs(p)
	if err != nil {
		return err
	}
	scenario, err := scenarios.On(p.Topology, r.Scenario)
	if err != nil {
		return err
	}
	if scenario == nil {
		scenario = &scenarios.Scenario{}
	}
	if scenario.Recovery.Policy == scenarios.Replan && r.Replan == nil {
		return errors.New("the scenario plans anew after a death: the runner has no way to")
	}
	rates, err := newRates(p, costs, scenario)
	if err != nil {
		return err
	}
	s, err := newPipeline(r, p, rates, obs)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

func (r *Runner) bound(w *edgeshard.Workload) error {
	limit := r.MaxPasses
	if limit == 0 {
		limit = 1e9
	}
	passes := float64(w.Requests) * float64(w.Tokens) / float64(w.MicroBatch)
	if passes > float64(limit) {
		return fmt.Errorf("the workload takes %.3g passes: more than the limit of %d", math.Ceil(passes), limit)
	}
	return nil
}
