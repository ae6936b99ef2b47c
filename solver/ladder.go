package solver

import (
	"context"
	"slices"
)

// A ladder is a series of labellings at the same prices, there and back: each
// bounds what completing a path costs for the next one, which remembers more, so
// that few labels are left to look at.
type ladder struct {
	s     *search
	near  int64
	ahead tables // for the next labelling
	back  bool   // it starts at the paths' ends
	last  *labelling
}

// up runs one labelling and turns round. It returns whether it came to its end.
func (c *ladder) up(ctx context.Context, m memory, plain bool) bool {
	s := c.s
	g, r, x := s.g, s.r, s.x
	if c.back {
		g, r, x = s.mirror.g, s.mirror, nil
	}
	l := newLabelling(g, r, x, m, c.near, plain)
	l.ahead, l.most = c.ahead, s.left()
	ok := l.run(ctx)
	s.stats.Passes++
	s.stats.Labels += l.pool.n
	if !ok {
		return false
	}
	c.ahead, c.back, c.last = l.behind.mirrored(), !c.back, l
	return true
}

// path returns the best path of the last labelling.
func (c *ladder) path() []visit {
	path := c.last.path()
	if c.back { // the last one went there
		return path
	}
	slices.Reverse(path)
	for i, v := range path {
		path[i].from, path[i].to = c.s.g.units-v.to, c.s.g.units-v.from
	}
	return path
}

// ladderAt returns a ladder at prices m for paths below near, its first steps taken:
// there with what was remembered from the beginning, and back with all.
func (s *search) ladderAt(ctx context.Context, m multipliers, near int64) (*ladder, bool) {
	if s.mirror == nil {
		s.mirror = newRelaxation(s.g.mirrored())
	}
	s.r.solve(m)
	s.mirror.price(m)
	c := &ladder{s: s, near: near, ahead: s.r.tables}
	return c, c.up(ctx, s.base, false) && c.up(ctx, s.memory, false)
}

// ascend raises the bound at prices m as far as near, or until remembering more
// is of little help. It returns the last path, nil if there is none below near.
func (s *search) ascend(ctx context.Context, m multipliers, near int64) (path []visit, bound int64, ok bool) {
	c, ok := s.ladderAt(ctx, m, near)
	for idle, was := 0, int64(0); ok; ok = c.up(ctx, s.memory, false) {
		bound = c.last.best
		s.reach(m, bound, false)
		if path = c.path(); path == nil || s.done() {
			return path, bound, true
		}
		s.offer(path)
		s.repair(ctx, path)
		if idle++; bound-was > bound/400 {
			idle, was = 0, bound
		}
		if !s.memory.learn(s.g, path) || idle >= 2 {
			return path, bound, true
		}
	}
	return nil, 0, false
}

// conclusive runs a labelling by plain cost behind a ladder's first steps.
func (s *search) conclusive(ctx context.Context, m multipliers, near int64) (path []visit, bound int64, ok bool) {
	c, ok := s.ladderAt(ctx, m, near)
	if !ok || !c.up(ctx, s.memory, true) {
		return nil, 0, false
	}
	s.reach(m, c.last.best, true)
	return c.path(), c.last.best, true
}
