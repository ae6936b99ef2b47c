package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// A baseline is another solver's plan for the same job.
type baseline struct {
	Solver string  `json:"solver"`
	TPOTMS float64 `json:"tpot_ms,omitempty"`
	TotalS float64 `json:"total_s,omitempty"`
	Slower float64 `json:"slower_than_plan,omitempty"` // total over the plan's total
	OOM    string  `json:"oom,omitempty"`              // why it has none
}

// baselines plans the job with every other solver.
func baselines(ctx context.Context, job edgeshard.Plan, p *edgeshard.Plan) ([]baseline, error) {
	var all []baseline
	for _, name := range solver.Names() {
		if name == p.Solver.Name {
			continue
		}
		b := baseline{Solver: name}
		other, _, err := solver.Plan(ctx, job, solver.Options{Solver: name})
		var none *solver.Infeasible
		switch {
		case errors.As(err, &none):
			b.OOM = none.Reasons[0].Text
		case err != nil:
			return nil, err
		default:
			b.TPOTMS, b.TotalS = other.Predicted.TPOTMS, other.Predicted.MakespanS
			b.Slower = b.TotalS / p.Predicted.MakespanS
		}
		all = append(all, b)
	}
	return all, nil
}

func (a *app) showBaselines(p *edgeshard.Plan, all []baseline) {
	a.title("against the baselines")
	rows := [][]string{{p.Solver.Name, msText(p.Predicted.TPOTMS), digits(p.Predicted.MakespanS) + " s", ""}}
	for _, b := range all {
		switch {
		case b.OOM != "":
			rows = append(rows, []string{b.Solver, "–", "out of memory", ""})
		case b.Slower < 1.0005:
			rows = append(rows, []string{b.Solver, msText(b.TPOTMS), digits(b.TotalS) + " s", "as fast"})
		default:
			rows = append(rows, []string{b.Solver, msText(b.TPOTMS), digits(b.TotalS) + " s", fmt.Sprintf("%.2f× slower", b.Slower)})
		}
	}
	a.table([]string{"solver", "TPOT", "whole request", ""}, rows)
}
