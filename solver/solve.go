package solver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard"
)

// An algorithm returns a problem's stages. What it returns need not fit: Solve checks it.
type algorithm func(ctx context.Context, p *Problem) ([]edgeshard.Stage, error)

var algorithms = []struct {
	name  string
	stage algorithm
}{
	{"edgeshard", paper}, {"solo", solo}, {"cloud-even", cloudEven}, {"cloud-opt", cloudOpt}, {"even", even},
}

// Exact is the name of the solver that proves its plans.
const Exact = "exact"

// Names returns the solvers' names, the default first.
func Names() []string {
	names := []string{Exact}
	for _, a := range algorithms {
		names = append(names, a.name)
	}
	return names
}

// Solve solves the problem with the solver the options name. It fails with an
// *Infeasible where there is no plan, or where the solver's own does not fit;
// with the context's error where ctx ends; running into the options' deadline is
// no failure as long as a plan was found.
func Solve(ctx context.Context, p *Problem, o Options) (*Result, error) {
	start := time.Now()
	r, err := solve(ctx, p, o)
	if err != nil {
		return nil, err
	}
	r.Problem, r.Elapsed = p, time.Since(start)
	return r, nil
}

func solve(ctx context.Context, p *Problem, o Options) (*Result, error) {
	if o.Solver == "" || o.Solver == Exact {
		return exact(ctx, p, o)
	}
	for _, a := range algorithms {
		if a.name == o.Solver {
			return heuristic(ctx, p, a.name, a.stage)
		}
	}
	return nil, fmt.Errorf("unknown solver %q: want one of %s", o.Solver, strings.Join(Names(), ", "))
}

// heuristic runs an algorithm that knows no bound.
func heuristic(ctx context.Context, p *Problem, name string, run algorithm) (*Result, error) {
	stages, err := run(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := p.Check(stages); err != nil {
		if none := (*Infeasible)(nil); errors.As(err, &none) {
			return nil, err
		}
		return nil, &Infeasible{Reasons: []Reason{{Text: fmt.Sprintf("the plan of %s breaks a constraint: %v", name, err)}}}
	}
	r := &Result{Stages: stages, Value: p.Value(stages), Note: name + " proves nothing"}
	if p.Objective == edgeshard.Throughput {
		r.Note += fmt.Sprintf("; its bottleneck is %.4f ms", float64(p.Bottleneck(stages))/1e6)
	}
	return r, nil
}
