package solver

import (
	"cmp"
	"context"
	"slices"
)

// A fit looks for a path of a coverage that keeps to the capacities, or shows that
// there is none: it raises the least share of what is given back that a path is
// charged, by prices and by what paths remember, as a search raises its bound.
type fit struct {
	c      *coverage
	m      multipliers // of the best share
	memory memory
	share  float64
	none   bool
	path   []visit
	long   bool // plans with its classes have too long a loop
	proof  evidence
	effort int // labels after which to give up; 0: never
	made   int // labels
	stats  *Stats
}

func newFit(g *graph, stats *Stats) *fit {
	c := newCoverage(g)
	return &fit{c: c, m: c.worths(), memory: newMemory(g.classes), stats: stats}
}

// run ends with a path, with the proof that there is none, with the effort, or with ctx.
func (f *fit) run(ctx context.Context) {
	f.beam(ctx)
	if !f.done(ctx) {
		f.climb(ctx)
	}
	if !f.done(ctx) {
		f.beam(ctx)
	}
	if !f.done(ctx) {
		f.expect()
		f.remember(ctx)
	}
}

func (f *fit) done(ctx context.Context) bool {
	return f.none || f.path != nil || f.effort > 0 && f.made > f.effort || ctx.Err() != nil
}

// reach notes what prices show that every path is charged, and tells whether it
// is the most so far.
func (f *fit) reach(m multipliers, least int64) bool {
	share := float64(least) / float64(f.c.back)
	f.none = least > f.c.back
	if share <= f.share && !f.none {
		return false
	}
	f.share = share
	f.m = slices.Clone(m)
	f.proof = evidence{m: f.m, memory: f.memory.clone()}
	return true
}

// take notes a path that keeps to the capacities.
func (f *fit) take(path []visit) bool {
	if f.c.g.keeps(path) {
		f.path = path
	}
	return f.path != nil
}

// climb raises the share without memory, at first in long steps.
func (f *fit) climb(ctx context.Context) {
	f.rise(ctx, schedule{scale: .25, shrink: .5, least: .1, patience: 16}, func(m multipliers, path []visit, _ int64, scale float64) { f.c.raise(m, path, scale) })
	f.rise(ctx, schedule{scale: 1, shrink: .6, least: .1, patience: 6}, f.c.refine)
}

// rise takes steps with prices until they are of no use.
func (f *fit) rise(ctx context.Context, steps schedule, move func(m multipliers, path []visit, least int64, scale float64)) {
	for m := slices.Clone(f.m); !steps.over() && !f.done(ctx); {
		f.stats.Bounds++
		least := f.c.solve(m)
		better := f.reach(m, least)
		if f.none {
			return
		}
		path := f.c.path()
		if f.take(path) {
			return
		}
		f.settle(m, better, &steps)
		move(m, path, least, steps.scale)
	}
}

// settle goes back to the best prices after some that were of no use.
func (f *fit) settle(m multipliers, better bool, steps *schedule) {
	if better {
		steps.idle = 0
	} else if steps.worse() {
		copy(m, f.m)
	}
}

// beamWidth is how many stops go on from a place in a beam.
const beamWidth = 4

// beam looks for a path among the most promising that remember all.
func (f *fit) beam(ctx context.Context) {
	if f.c.solve(f.m) > f.c.back {
		f.reach(f.m, f.c.start[0][f.c.g.source])
		return
	}
	all := newMemory(f.c.g.classes)
	all.fill()
	l := newCovering(f.c, all, f.c.back+1)
	l.width = beamWidth
	l.run(ctx)
	f.count(l)
	if path := l.path(); path != nil {
		f.take(path)
	}
}

func (f *fit) count(l *covering) {
	f.stats.Passes++
	f.stats.Labels += l.pool.n
	f.made += l.pool.n
}

// expect remembers at each class the dearest of those it leads to and back.
func (f *fit) expect() {
	g := f.c.g
	for k, onward := range f.c.onward {
		near := slices.DeleteFunc(slices.Clone(onward), func(d int32) bool { return g.hop[d][k] >= never })
		slices.SortStableFunc(near, func(a, b int32) int { return cmp.Compare(f.m[b], f.m[a]) })
		for _, d := range near[:min(len(near), expected)] {
			f.memory[k][d] = true
		}
	}
}

// remember raises the share by what paths remember, prices moving along. It looks
// no further than somewhat above the share, where few labels are of interest.
func (f *fit) remember(ctx context.Context) {
	m := slices.Clone(f.m)
	for steps := (schedule{scale: .6, shrink: .6, least: .02, patience: 6}); !f.done(ctx); {
		f.c.solve(m)
		near := min(int64(f.share*1.02*float64(f.c.back)), f.c.back) + 1
		l := newCovering(f.c, f.memory, near)
		if f.effort > 0 {
			l.most = max(f.effort-f.made, 1)
		}
		ended := l.run(ctx)
		f.count(l)
		if !ended {
			return
		}
		better := f.reach(m, l.best)
		path := l.path()
		if path == nil {
			continue
		}
		if f.take(path) {
			return
		}
		f.memory.learn(f.c.g, path)
		if steps.over() {
			copy(m, f.m)
			continue
		}
		f.settle(m, better, &steps)
		f.c.refine(m, path, l.best, steps.scale)
	}
}

// certify states that no path keeps everything within tau, for a round.
func (f *fit) certify(tau, round int64) Proof {
	return f.proof.state(Proof{Tau: tau, Bound: round, Covering: true})
}
