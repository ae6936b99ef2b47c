package solver

import (
	"context"
	"errors"

	"github.com/edgeshard/edgeshard"
)

// Pareto returns the plans that no other one beats in both the request's time
// and the round, fastest request first. Revisits are not allowed. Each is the
// fastest of those whose round is shorter than the one before, so the front is
// exact where every result is proved. It ends early, with what it has, where the
// context does.
func Pareto(ctx context.Context, p *Problem, o Options) ([]*Result, error) {
	q := *p
	q.Objective, q.Revisits = edgeshard.Latency, false
	var front []*Result
	for {
		r, err := Solve(ctx, q.bounded(), o)
		if none := (*Infeasible)(nil); len(front) > 0 && (errors.As(err, &none) || ctx.Err() != nil) {
			return front, nil
		}
		if err != nil {
			return nil, err
		}
		if n := len(front); n > 0 && front[n-1].Value.Request == r.Value.Request {
			front = front[:n-1]
		}
		front = append(front, r)
		q.MaxLoop = r.Value.Round(q.MicroBatches) - 1
	}
}

// bounded returns a copy, since a result keeps its problem.
func (p *Problem) bounded() *Problem {
	q := *p
	return &q
}
