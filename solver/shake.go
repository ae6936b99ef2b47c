package solver

import (
	"context"
	"math/rand/v2"
	"slices"
)

// shakes is how often a search shakes its best path.
const shakes = 300

// shake looks for a better path by iterated local search: a few random stages go
// to other devices, single changes improve that, and what comes out is gone on
// with unless it is clearly worse. Its random numbers are always the same.
func (s *search) shake(ctx context.Context) {
	if s.best == nil || s.done() {
		return
	}
	random := rand.New(rand.NewPCG(1, uint64(s.g.classes)))
	at := newOrder(s.g, s.best)
	at.descend(ctx)
	least := at.rest[0][0]
	for range shakes {
		if ctx.Err() != nil {
			return
		}
		o := at.clone()
		for range 2 + random.IntN(2) {
			o.shake(random)
		}
		o.descend(ctx)
		now := o.rest[0][0]
		if now < least {
			least = now
			s.offer(o.path())
		}
		if now <= least+least/100 {
			at = o
		}
	}
}

func (o *order) clone() *order {
	return &order{g: o.g, classes: slices.Clone(o.classes), visits: slices.Clone(o.visits)}
}

// shake gives a random stage to a random class that has a device left for it.
func (o *order) shake(random *rand.Rand) {
	o.tabulate()
	if len(o.classes) < 2 {
		return
	}
	for range 20 {
		at, k := 1+random.IntN(len(o.classes)-1), random.IntN(o.g.classes)
		if o.visits[k] < o.g.count[k] && o.with(at, at+1, k) < never {
			o.change(change{replace, at, k})
			return
		}
	}
}
