package experiments

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
)

// A Backend returns the Runner of a backend other than the simulator. A scenario
// is nil where the point has none.
type Backend func(name string, s *scenarios.Scenario) (edgeshard.Runner, error)

// SolverNames returns the values of the setting "solver": the solver package's,
// and the policies of other systems.
func SolverNames() []string { return append(solver.Names(), PolicyNames()...) }

// run plans and runs a job. Only the end of ctx is an error of run; any other is
// the outcome's.
func (j *job) run(ctx context.Context, backend Backend, warmup int) (o *Outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			o, err = &Outcome{Status: Failed, Error: fmt.Sprintf("panic: %v", v)}, nil
		}
	}()
	p, rep, err := j.planAndRun(ctx, backend, warmup)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return failure(err), nil
	}
	return outcomeOf(p, rep), nil
}

func failure(err error) *Outcome {
	o := &Outcome{Status: Failed, Error: firstLine(err)}
	if none := (*solver.Infeasible)(nil); errors.As(err, &none) {
		o.Status = Infeasible
	} else if oom := (*edgeshard.OutOfMemory)(nil); errors.As(err, &oom) {
		o.Status = OOM
	}
	return o
}

func (j *job) planAndRun(ctx context.Context, backend Backend, warmup int) (*edgeshard.Plan, *edgeshard.Report, error) {
	p, err := j.solve(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := j.loadScenario()
	if err != nil {
		return nil, nil, err
	}
	runner, err := j.runner(backend, s)
	if err != nil {
		return nil, nil, err
	}
	for ; warmup > 0 && j.backend != "sim"; warmup-- {
		if err := runner.Run(ctx, p, edgeshard.NewRecorder(p)); err != nil {
			return nil, nil, fmt.Errorf("warming up: %w", err)
		}
	}
	rec := edgeshard.NewRecorder(p)
	if err := runner.Run(ctx, p, rec); err != nil {
		return nil, nil, err
	}
	return p, rec.Report(j.backend), nil
}

func (j *job) solve(ctx context.Context) (*edgeshard.Plan, error) {
	if err := j.plan.Workload.Validate(); err != nil {
		return nil, err
	}
	for _, p := range policies {
		if p.name == j.options.Solver {
			return policyPlan(ctx, p, j.plan, j.options)
		}
	}
	p, _, err := solver.Plan(ctx, j.plan, j.options)
	return p, err
}

func (j *job) runner(backend Backend, s *scenarios.Scenario) (edgeshard.Runner, error) {
	if j.backend == "sim" {
		return &sim.Runner{Scenario: s, Replan: j.replan}, nil
	}
	if backend == nil {
		return nil, fmt.Errorf("no backend %s here", j.backend)
	}
	return backend(j.backend, s)
}

// replan plans again without the lost devices, as the job was planned.
func (j *job) replan(ctx context.Context, p *edgeshard.Plan, lost []int) (*edgeshard.Plan, error) {
	again := *j
	again.plan = *p
	again.options.Exclude = nil
	again.options.Exclude = append(again.options.Exclude, j.options.Exclude...)
	for _, d := range lost {
		again.options.Exclude = append(again.options.Exclude, p.Topology.Devices[d].Name)
	}
	return again.solve(ctx)
}
