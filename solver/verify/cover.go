package verify

import (
	"errors"
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard/solver"
)

// A sequence is one of classes whose stages, each as long as it may be, have
// covered all units before some unit.
type sequence struct {
	charged       int64
	used          []int // [class] visits as far as remembered
	dropped, done bool
}

// cover walks all sequences of classes that could run all units within tau,
// dropping those that another replaces. A plan's classes are such a sequence: to
// start a stage later never makes it end earlier, and a stage whose units are all
// covered by those before passes on. It returns an error if one is charged no
// more than the prices give back.
func (w *walk) cover() error {
	if w.p.Revisits || w.proof.Tail > 0 {
		return errors.New("covering: want one visit a device")
	}
	w.needs()
	at := make([][][]*sequence, w.units+1)
	for i := range at {
		at[i] = make([][]*sequence, len(w.p.Classes))
	}
	if err := w.visit(at, &sequence{used: make([]int, len(w.p.Classes))}, 0, w.home); err != nil {
		return err
	}
	for i := 1; i <= w.units; i++ {
		for again := true; again; {
			again = false
			for k := range at[i] {
				for _, s := range slices.Clone(at[i][k]) {
					if s.done || s.dropped {
						continue
					}
					s.done, again = true, true
					if err := w.continued(at, s, i, k); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// continued goes on from a sequence to every other class, unless one that has
// covered more replaces it.
func (w *walk) continued(at [][][]*sequence, s *sequence, i, k int) error {
	for j := i + 1; j <= w.units; j++ {
		if slices.ContainsFunc(at[j][k], func(o *sequence) bool { return o.replaces(s) }) {
			return nil
		}
	}
	for d := range w.p.Classes {
		if _, _, ok := w.hop(k, d); !ok {
			continue
		}
		if err := w.visit(at, s, i, d); err != nil {
			return err
		}
	}
	return nil
}

// visit adds a stage that starts at unit i on class k to a sequence.
func (w *walk) visit(at [][][]*sequence, s *sequence, i, k int) error {
	j := w.after(k, i)
	if j < 0 {
		return nil
	}
	x := &sequence{charged: s.charged + int64(w.proof.Prices[k])}
	if x.charged+w.done[j][k] > w.back {
		return nil
	}
	x.used = slices.Clone(s.used)
	for c := range x.used {
		if !w.keeps[k][c] {
			x.used[c] = 0
		}
	}
	if w.keeps[k][k] {
		if x.used[k]++; x.used[k] > len(w.p.Classes[k].Members) {
			return nil
		}
	}
	if w.ends(k, j) {
		return fmt.Errorf("a sequence of classes covers all units and is charged %d ns: the prices give back %d", x.charged, w.back)
	}
	list := at[j][k]
	if slices.ContainsFunc(list, func(o *sequence) bool { return o.replaces(x) }) {
		return nil
	}
	at[j][k] = append(slices.DeleteFunc(list, func(o *sequence) bool {
		o.dropped = o.dropped || x.replaces(o)
		return o.dropped
	}), x)
	return nil
}

// after returns where a stage ends that starts at unit i on class k: there, where
// it passes on, for the class could run some unit before; -1 where it cannot start.
func (w *walk) after(k, i int) int {
	if i < w.units && w.reach[k][i] > i {
		return w.reach[k][i]
	}
	for j := 1; j < i; j++ {
		if w.reach[k][j] > j {
			return i
		}
	}
	return -1
}

// ends tells whether a sequence may end on class k with all units before i covered.
func (w *walk) ends(k, i int) bool {
	_, _, ok := w.end(k)
	return ok && i == w.units
}

func (s *sequence) replaces(o *sequence) bool {
	if s.charged > o.charged {
		return false
	}
	for c, n := range s.used {
		if n > o.used[c] {
			return false
		}
	}
	return true
}

// needs computes the least that completing a sequence is charged.
func (w *walk) needs() {
	n := len(w.p.Classes)
	w.rest, w.done = make([][]int64, w.units+1), make([][]int64, w.units+1)
	for i := w.units; i >= 0; i-- {
		w.rest[i] = slices.Repeat([]int64{solver.Never}, n)
		w.done[i] = slices.Repeat([]int64{solver.Never}, n)
		for k := range n {
			if w.ends(k, i) {
				w.done[i][k] = 0
			}
			if j := w.after(k, i); j > i {
				w.rest[i][k] = min(int64(w.proof.Prices[k])+w.done[j][k], solver.Never)
			}
		}
		for again := true; again; {
			again = false
			for k := range n {
				again = w.lower(i, k) || again
			}
		}
	}
}

// lower takes the classes that class k leads to at unit i into its tables, and
// tells whether that lowers what passing on takes.
func (w *walk) lower(i, k int) bool {
	for d := range w.p.Classes {
		if _, _, ok := w.hop(k, d); ok {
			w.done[i][k] = min(w.done[i][k], w.rest[i][d])
		}
	}
	if x := int64(w.proof.Prices[k]) + w.done[i][k]; w.after(k, i) == i && x < w.rest[i][k] {
		w.rest[i][k] = x
		return true
	}
	return false
}
