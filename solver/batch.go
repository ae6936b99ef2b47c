package solver

import (
	"context"
	"errors"
	"time"

	"github.com/edgeshard/edgeshard"
)

// solveWorkload solves the problem of a workload or, where the options let a
// throughput plan choose, of every batch and micro-batch up to the most allowed:
// the best has the most tokens per time, B/max(S, K·M). Larger batches come
// first, and each must beat the best so far.
func solveWorkload(ctx context.Context, s edgeshard.Spec, w edgeshard.Workload, o Options) (*Result, edgeshard.Workload, error) {
	if o.MaxBatch <= 0 || o.objective() != edgeshard.Throughput {
		r, err := solveOne(ctx, s, w, o, nil)
		return r, w, err
	}
	start := time.Now()
	var best *Result
	var failed error
	chosen := w
	for _, b := range batches(min(o.MaxBatch, w.Requests)) {
		w.Batch, w.MicroBatch = b.micro*b.in, b.micro
		r, err := solveOne(ctx, s, w, o.until(start), best)
		if none := (*Infeasible)(nil); err != nil && !errors.As(err, &none) {
			return nil, w, err
		} else if err != nil {
			failed = err
			continue
		}
		r.tokens, best, chosen = w.Batch, r, w
	}
	if best == nil {
		return nil, w, failed
	}
	best.Elapsed = time.Since(start)
	return best, chosen, nil
}

// A batching is K micro-batches of some sequences each.
type batching struct{ micro, in int }

// batches returns all batchings of at most n sequences, larger batches first.
func batches(n int) []batching {
	var all []batching
	for total := n; total > 0; total-- {
		for micro := 1; micro <= total; micro++ {
			if total%micro == 0 {
				all = append(all, batching{micro, total / micro})
			}
		}
	}
	return all
}

// until returns the options with what is left of the deadline.
func (o Options) until(start time.Time) Options {
	if o.Deadline > 0 {
		o.Deadline = max(o.Deadline-time.Since(start), time.Millisecond)
	}
	return o
}

// solveOne solves the problem of one workload, to more tokens per time than best.
func solveOne(ctx context.Context, s edgeshard.Spec, w edgeshard.Workload, o Options, best *Result) (*Result, error) {
	p, err := New(s, w, o)
	if err != nil {
		return nil, err
	}
	if best != nil {
		// P/B < P'/B', in integers.
		p.MaxLoop = min(p.MaxLoop, (best.Objective()*int64(w.Batch)-1)/int64(best.tokens))
	}
	return Solve(ctx, p, o)
}
