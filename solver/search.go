package solver

import (
	"context"
	"slices"
)

// A search finds a graph's cheapest path below a cutoff and proves that there is
// none cheaper: it raises a lower bound by subgradient steps on the multipliers,
// first on the relaxation without memory, then on the ng-route relaxation, whose
// memory it extends wherever the relaxed path breaks a capacity.
type search struct {
	g       *graph
	r, x    *relaxation
	mirror  *relaxation // of the mirrored graph
	base    memory      // what is remembered from the beginning
	long    bool        // a labelling makes many labels
	m       multipliers // of the best bound
	memory  memory
	bound   int64 // no path costs less
	cutoff  int64 // of the best path known, or given
	best    []visit
	any     bool  // stop at the first path
	clash   []int // classes whose devices cannot share the visits that together they could hold
	all     bool  // everything is remembered
	resumed bool  // prices are those of a search before
	proof   evidence
	effort  int // labels after which to give up; 0: never
	before  int // labels when it began
	stats   *Stats
}

func newSearch(g *graph, cutoff int64, stats *Stats) *search {
	s := &search{g: g, r: newRelaxation(g), m: make(multipliers, g.classes), memory: newMemory(g.classes), cutoff: cutoff, stats: stats, before: stats.Labels}
	if g.limit < never {
		s.x = newRelaxation(g.swapped())
		s.x.solve(make(multipliers, g.classes))
	}
	return s
}

// resume takes over what another search has learned about the same classes; its
// bound, too, where the graph has no path that the other's has not.
func (s *search) resume(o *search, within bool) {
	s.m, s.memory, s.long, s.resumed = slices.Clone(o.m), o.memory, o.long, true
	if s.base = o.base; within {
		s.bound, s.proof = o.bound, o.proof
	}
}

// swapped returns the graph with its two costs changed over.
func (g *graph) swapped() *graph {
	x := *g
	x.cost, x.hop, x.ret = g.extra, g.extraHop, g.extraReturn
	return &x
}

// proved tells whether no path is below the cutoff.
func (s *search) proved() bool { return s.bound >= s.cutoff }

// done tells whether to stop.
func (s *search) done() bool {
	return s.proved() || s.any && s.best != nil || s.left() <= 0
}

// left returns how many labels may be made yet.
func (s *search) left() int {
	if s.effort == 0 {
		return mostLabels
	}
	return min(s.before+s.effort-s.stats.Labels, mostLabels)
}

// run ends with a proof, or when ctx does.
func (s *search) run(ctx context.Context) {
	s.climb(ctx)
	if !s.done() && ctx.Err() == nil {
		s.remember(ctx)
	}
}

// offer takes a path that breaks nothing as the best one if it is.
func (s *search) offer(path []visit) {
	cost, extra := s.g.price(path)
	if cost < s.cutoff && extra <= s.g.limit && s.g.stages(path) != nil {
		s.best, s.cutoff = path, cost
	}
}

// schedule is how the steps of a subgradient method shrink: after patience steps
// without a better bound they are multiplied by shrink and start again from the
// best multipliers, until they are below least.
type schedule struct {
	scale, shrink, least float64
	patience, idle       int
}

// worse returns whether to go back to the best multipliers.
func (c *schedule) worse() bool {
	if c.idle++; c.idle <= c.patience {
		return false
	}
	c.scale, c.idle = c.scale*c.shrink, 0
	return true
}

func (c *schedule) over() bool { return c.scale < c.least }

// many classes make paths without memory a poor guide, and each step dear.
const many = 40

// climb raises the bound on the relaxation without memory.
func (s *search) climb(ctx context.Context) {
	m := slices.Clone(s.m)
	steps := schedule{scale: 1.2, shrink: .6, least: .01, patience: 12}
	probing := s.g.classes <= many
	if !probing {
		steps.least, steps.patience = .1, 8
	}
	if s.resumed {
		steps.scale = .2
	}
	for i := 0; !s.done() && !steps.over() && ctx.Err() == nil; i++ {
		before := s.bound
		bound := s.solve(m)
		if s.proved() || bound >= never {
			return
		}
		if i == 0 {
			s.repair(ctx, greedy(s.g))
		}
		if probing && (i%25 == 10 && s.cutoff-s.bound > s.cutoff/100 || i == 0 && (s.any || s.cutoff >= never)) {
			probing = s.probe(ctx, 40)
		}
		path := s.r.path()
		s.offer(path)
		s.adjust(m, s.bound > before, &steps)
		if !m.step(s.g, path, bound, s.target(), steps.scale) {
			return
		}
	}
}

// solve evaluates the relaxation without memory.
func (s *search) solve(m multipliers) int64 {
	s.stats.Bounds++
	bound := s.r.solve(m)
	s.reach(m, bound, false)
	return bound
}

// adjust shrinks the steps and returns to the best multipliers where a bound is no better.
func (s *search) adjust(m multipliers, better bool, steps *schedule) {
	if better {
		steps.idle = 0
	} else if steps.worse() {
		copy(m, s.m)
	}
}

// target is where subgradient steps aim: the best path, or somewhat above the
// bound while none is known.
func (s *search) target() int64 {
	if s.cutoff < never && s.g.classes > many {
		return min(s.cutoff, s.bound+s.bound/20)
	}
	if s.cutoff < never {
		return s.cutoff
	}
	return s.bound + s.bound/4 + 1
}

// repair looks for a better path near a relaxed one, without revisits.
func (s *search) repair(ctx context.Context, path []visit) {
	if path = improved(ctx, s.g, path); path != nil {
		s.offer(path)
	}
}

// probe looks for a better path with a beam guided by the tables, and tells
// whether it found one.
func (s *search) probe(ctx context.Context, width int) bool {
	b := beam{g: s.g, r: s.r, width: width, cutoff: s.cutoff}
	path, _ := b.search()
	if path == nil {
		return false
	}
	s.offer(path)
	s.repair(ctx, path)
	return true
}

// remember raises the bound on the ng-route relaxation, its multipliers moving
// along. Where they no longer help it compares paths by their plain cost.
func (s *search) remember(ctx context.Context) {
	if s.base == nil {
		s.expect()
		s.base = s.memory.clone()
	}
	m, before := slices.Clone(s.m), s.stats.Labels
	steps := schedule{scale: .6, shrink: .6, least: .02, patience: 6}
	for plain := false; !s.done(); {
		if !s.all && s.stats.Labels-before > tedious && s.small() {
			s.rememberAll()
			copy(m, s.m)
			plain = true
		}
		reached := s.bound
		path, bound, ok := s.label(ctx, m, plain)
		if !ok {
			return
		}
		if path == nil {
			continue
		}
		s.offer(path)
		s.repair(ctx, path)
		grew := s.memory.learn(s.g, path)
		if plain && !grew {
			s.clash = s.crowded(path)
			return // the path keeps to the capacities, so none is cheaper
		}
		if plain {
			continue
		}
		s.adjust(m, s.bound > reached, &steps)
		if s.close() || steps.over() || !m.step(s.g, path, bound, s.target(), steps.scale) {
			copy(m, s.m)
			plain = true
		}
	}
}

// close tells whether the bound is so near the cutoff that few labels are left;
// with shared memory labels differ in more, and prices move more slowly.
func (s *search) close() bool {
	if s.g.shared {
		return s.cutoff-s.bound < s.cutoff/200
	}
	return s.cutoff-s.bound < s.cutoff/1000
}

// label runs one labelling, or where these are long a ladder of them, and returns
// the best path. It looks no further than somewhat above the bound, where far
// fewer labels are of interest than below the cutoff: no path there is a better
// bound, too.
func (s *search) label(ctx context.Context, m multipliers, plain bool) (path []visit, bound int64, ok bool) {
	near := s.bound + s.bound/50 + 1
	if s.cutoff >= never {
		near += s.bound // there may be no path at all
	}
	if near = min(near, s.cutoff); s.all {
		near = s.cutoff // each state has one label: all at once
	}
	switch {
	case s.long && plain && !s.all:
		return s.conclusive(ctx, m, near)
	case s.long && !plain:
		return s.ascend(ctx, m, near)
	}
	s.r.solve(m)
	l := newLabelling(s.g, s.r, s.x, s.memory, near, plain)
	l.most = s.left()
	ok = l.run(ctx)
	s.stats.Passes++
	s.stats.Labels += l.pool.n
	if !ok {
		return nil, 0, false
	}
	if l.pool.n > lengthy && !s.small() {
		s.long = true
		s.shake(ctx)
	}
	s.reach(m, l.best, plain)
	return l.path(), l.best, true
}

// lengthy is how many labels make a labelling long.
const lengthy = 50000

// reach notes a bound and what it rests on, if it is the best.
func (s *search) reach(m multipliers, bound int64, plain bool) {
	if bound > s.bound {
		s.bound = bound
		copy(s.m, m)
		s.keep(m, plain)
	}
}
