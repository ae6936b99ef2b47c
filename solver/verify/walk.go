package verify

import (
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard/solver"
)

// A path is the part of one that ends with a stage on some class.
type path struct {
	charged, cost, extra int64
	used                 []int64 // [class] as far as remembered
	seen                 []bool  // [must] classes visited
}

// run walks all paths of the relaxation at once, unit by unit, dropping those
// that another replaces. It returns an error if one comes out below the limit.
func (w *walk) run() error {
	w.complete()
	ended := make([][][]*path, w.units+1) // [unit][class]
	for u := range ended {
		ended[u] = make([][]*path, len(w.p.Classes))
	}
	start := &path{used: make([]int64, len(w.p.Classes)), seen: make([]bool, len(w.must))}
	if err := w.stages(start, 0, w.home, ended); err != nil {
		return err
	}
	for i := 1; i < w.units; i++ {
		for k := range ended[i] {
			for _, from := range ended[i][k] {
				if err := w.onward(from, i, k, ended); err != nil {
					return err
				}
			}
		}
		ended[i] = nil
	}
	return nil
}

// complete computes the least that completing a path is charged.
func (w *walk) complete() {
	n := len(w.p.Classes)
	w.rest, w.done = make([][]int64, w.units+1), make([][]int64, w.units+1)
	for i := w.units; i >= 0; i-- {
		w.rest[i], w.done[i] = make([]int64, n), make([]int64, n)
		for k := range n {
			if i < w.units {
				w.rest[i][k] = w.startCost(i, k)
			}
		}
		for k := range n {
			w.done[i][k] = w.endCost(i, k)
		}
	}
}

func (w *walk) startCost(i, k int) int64 {
	least, cost := solver.Never, int64(0)
	for j := i + 1; j <= w.reach[k][i]; j++ {
		c, _ := w.unit(k, j-1)
		cost += c
		least = min(least, cost+w.price(k, i, j)+w.done[j][k])
	}
	return least
}

func (w *walk) endCost(j, k int) int64 {
	least := solver.Never
	if j == w.units {
		if cost, _, ok := w.end(k); ok {
			least = cost
		}
		return least
	}
	for d := range w.p.Classes {
		if cost, _, ok := w.hop(k, d); ok {
			least = min(least, cost+w.rest[j][d])
		}
	}
	return least
}

// onward goes from the end of a stage to every other class.
func (w *walk) onward(from *path, i, k int, ended [][][]*path) error {
	for d := range w.p.Classes {
		cost, extra, ok := w.hop(k, d)
		if !ok || from.charged+cost+w.rest[i][d] >= w.limit+w.back {
			continue
		}
		next := &path{charged: from.charged + cost, cost: from.cost + cost, extra: from.extra + extra, seen: from.seen, used: slices.Clone(from.used)}
		for c := range next.used {
			if !w.keeps[d][c] {
				next.used[c] = 0
			}
		}
		if err := w.stages(next, i, d, ended); err != nil {
			return err
		}
	}
	return nil
}

// stages ends a stage that starts at unit i on class k wherever it may.
func (w *walk) stages(from *path, i, k int, ended [][][]*path) error {
	next := *from
	next.seen = slices.Clone(from.seen)
	for m, c := range w.must {
		next.seen[m] = next.seen[m] || c == k
	}
	for j := i + 1; j <= w.reach[k][i]; j++ {
		cost, extra := w.unit(k, j-1)
		next.cost, next.extra = next.cost+cost, next.extra+extra
		next.charged = from.charged + next.cost - from.cost + w.price(k, i, j)
		if next.extra > w.ceiling() {
			return nil
		}
		if w.keeps[k][k] {
			next.used = slices.Clone(from.used)
			if next.used[k] += w.use(i, j); next.used[k] > w.supply(k) {
				return nil
			}
		}
		if j < w.units {
			if next.charged+w.done[j][k] < w.limit+w.back {
				ended[j][k] = w.insert(ended[j][k], next)
			}
			continue
		}
		return w.finish(&next, k)
	}
	return nil
}

// finish returns an error where a whole path is below the limit.
func (w *walk) finish(at *path, k int) error {
	cost, extra, ok := w.end(k)
	if !ok || at.extra+extra > w.ceiling() || slices.Contains(at.seen, false) {
		return nil
	}
	charged := at.charged + cost - w.back
	if charged >= w.limit || w.proof.Plain && at.cost+cost >= w.limit {
		return nil
	}
	return fmt.Errorf("a path of the relaxation is charged %d ns, below the bound of %d", charged, w.limit)
}

// insert keeps a path unless another replaces it, and drops those it replaces.
func (w *walk) insert(list []*path, x path) []*path {
	for _, o := range list {
		if w.replaces(o, &x) {
			return list
		}
	}
	list = slices.DeleteFunc(list, func(o *path) bool { return w.replaces(&x, o) })
	return append(list, &x)
}

// replaces tells whether whatever completes b completes a as well, at no more.
func (w *walk) replaces(a, b *path) bool {
	if a.charged > b.charged || w.proof.Plain && a.cost > b.cost || w.ceiling() < solver.Never && a.extra > b.extra {
		return false
	}
	for c := range a.used {
		if a.used[c] > b.used[c] {
			return false
		}
	}
	for m := range a.seen {
		if b.seen[m] && !a.seen[m] {
			return false
		}
	}
	return true
}
