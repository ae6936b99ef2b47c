package solver

import (
	"context"
	"math"
)

// throughput minimises the round, max(S, K·M), by bisection: a round of at most x
// is one in which nothing is busy for more than x/K and the loop is at most x.
func (e *prover) throughput(ctx context.Context) {
	k := int64(e.p.MicroBatches)
	most := min(e.p.MaxLoop, never-1)
	e.long = never
	e.effort = firstEffort // no round is shorter than the shortest loop, but a bound on that will do
	low, proofs := e.minimise(ctx, most/k, most+1, false)
	e.effort = 0
	if e.best > most && ctx.Err() == nil { // is there a plan at all?
		if bound, tried := e.minimise(ctx, most/k, most+1, true); bound > most {
			low, proofs = bound, tried
		}
	}
	b := bracket{low: low, high: min(e.best, most+1), effort: firstEffort}
	for b.restart(); b.low < b.high && ctx.Err() == nil; {
		x := b.next()
		e.effort = b.effort
		if v := e.result.Value; b.high-1 >= e.long && v.Loop > k*v.Busy {
			x, e.effort = b.high-1, 0 // the loop binds: one search, whatever it takes
		}
		bound, tried := e.within(ctx, x)
		if bound > b.low {
			proofs = tried
		}
		b.note(x, bound, e.best)
	}
	e.effort = 0
	e.result.Bound, e.result.proofs = b.low, proofs
	if b.low >= e.best {
		e.minimise(ctx, e.best/k, e.result.Value.Loop, false) // ties go to the shorter loop
	}
}

// firstEffort is how many labels a step of the bisection may make before others
// are tried.
const firstEffort = 1 << 17

// A bracket is where the least round lies. Steps that are hard to decide are put
// off: it closes in on them from both sides first, and then asks for more effort.
type bracket struct {
	low, high     int64 // no round is below low; high is the best known
	least, utmost int64 // of the rounds put off; none where least is the greater
	effort        int
}

func (b *bracket) restart() { b.least, b.utmost = math.MaxInt64, math.MinInt64 }

// next returns the round to ask for, at least low and below high.
func (b *bracket) next() int64 {
	if b.least > b.utmost && b.high-b.low <= b.high>>10 {
		return b.high - 1 // the best known may well be the best
	}
	if b.least > b.utmost {
		return b.low + (b.high-1-b.low)/2
	}
	below, above := b.least-b.low, b.high-1-b.utmost
	if fine := b.high >> 9; below <= fine && above <= fine {
		b.effort *= 4
		b.restart()
		return b.next()
	}
	if below > above {
		return b.low + (below-1)/2
	}
	return b.utmost + (above+1)/2
}

// note takes the answer for a round of x: a bound, above x where there is no plan
// within it, and the best round known. A plan's round is at least the bound or above x.
func (b *bracket) note(x, bound, best int64) {
	b.low = max(b.low, min(bound, x+1))
	switch {
	case bound > x:
	case best <= x:
		b.high = best
		b.utmost = min(b.utmost, best-1)
	default:
		b.least, b.utmost = min(b.least, x), max(b.utmost, x)
	}
}

// within asks for a plan with a round of at most x. It returns a bound for those
// with such a round, above x where there is none, and its proof.
func (e *prover) within(ctx context.Context, x int64) (int64, []Proof) {
	if e.p.MicroBatches > 1 && x < e.long && !e.p.tailPinned() {
		f := e.fit(ctx, x)
		if f.none {
			return x + 1, []Proof{f.certify(x/int64(e.p.MicroBatches), x+1)}
		}
		if e.best <= x {
			return 0, nil
		}
		if f.path != nil && f.long {
			e.long = x
		}
	}
	return e.minimise(ctx, x/int64(e.p.MicroBatches), x+1, true)
}

// fit asks whether devices keep all stages and links within a round's share, the
// loop left aside, and takes the plans it finds.
func (e *prover) fit(ctx context.Context, x int64) *fit {
	k := int64(e.p.MicroBatches)
	g := newGraph(e.p, variant{tau: x / k})
	f := newFit(g, &e.result.Stats)
	f.effort = e.effort
	if e.prices != nil {
		f.m = e.prices
	}
	f.run(ctx)
	e.prices = f.m
	if f.path == nil {
		return f
	}
	f.long = e.cut(g, f.path)
	return f
}

// cut takes the plans that the classes of a path of g make with the shortest loop,
// within its limit on stages and links, and within the least that they can keep to.
// It tells whether there are.
func (e *prover) cut(g *graph, path []visit) bool {
	found := false
	o := newOrder(g, path)
	for _, g := range []*graph{g, newGraph(e.p, variant{tau: o.narrowest()})} {
		o.g = g
		o.tabulate()
		if path := o.path(); path != nil {
			e.take(g.stages(path))
			found = true
		}
	}
	return found
}
