package solver

import (
	"cmp"
	"slices"
)

// partial is a path's end in a beam: about to start a stage at unit on class.
type partial struct {
	cost, extra int64
	bound       int64 // what completing it costs at least
	parent      *partial
	class, unit int
}

// used returns what the path up to p has taken of class k.
func (p *partial) used(g *graph, k int) int64 {
	var used int64
	for q := p; q.parent != nil; q = q.parent {
		if q.parent.class == k {
			used += g.use(q.parent.unit, q.unit)
		}
	}
	return used
}

func (p *partial) path(units int) []visit {
	var path []visit
	for to := units; p != nil; p = p.parent {
		path = append(path, visit{p.class, p.unit, to})
		to = p.unit
	}
	slices.Reverse(path)
	return path
}

// A beam keeps the width most promising partial paths at each unit, as the
// relaxation's tables judge them, and only such as keep to the capacities.
type beam struct {
	g      *graph
	r      *relaxation
	width  int
	layers [][]*partial
	cutoff int64
	best   []visit
}

// search returns a path cheaper than the cutoff that breaks no constraint, and
// its cost; nil where it comes upon none.
func (b *beam) search() ([]visit, int64) {
	b.layers = make([][]*partial, b.g.units+1)
	b.layers[0] = []*partial{{class: b.g.source}}
	for i := range b.g.units {
		for _, p := range b.promising(b.layers[i]) {
			b.stages(p)
		}
		b.layers[i] = nil
	}
	return b.best, b.cutoff
}

// promising returns the partial paths to go on with, at most three on a class.
func (b *beam) promising(layer []*partial) []*partial {
	slices.SortStableFunc(layer, func(x, y *partial) int { return cmp.Compare(x.bound, y.bound) })
	var chosen []*partial
	on := make([]int, b.g.classes)
	for _, p := range layer {
		if len(chosen) == b.width {
			break
		}
		if on[p.class]++; on[p.class] <= 3 {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

func (b *beam) stages(p *partial) {
	g, k := b.g, p.class
	left := g.capacity(k) - p.used(g, k)
	for j := p.unit + 1; j <= int(g.reach[k][p.unit]); j++ {
		if g.use(p.unit, j) > left {
			return
		}
		cost := p.cost + g.cost[k][j] - g.cost[k][p.unit]
		extra := p.extra + g.extra[k][j] - g.extra[k][p.unit]
		if j == g.units {
			b.finish(p, cost+g.ret[k])
			return
		}
		b.hops(p, cost, extra, j)
	}
}

// branches is how many ways a stage's end goes on in a beam.
const branches = 6

func (b *beam) hops(p *partial, cost, extra int64, j int) {
	var top [branches]partial
	n := 0
	for d := range b.g.classes {
		x := partial{class: d, unit: j, parent: p, cost: cost + b.g.hop[p.class][d], extra: extra + b.g.extraHop[p.class][d]}
		x.bound = x.cost + b.r.start[j][d]
		if x.bound >= never || n == branches && x.bound >= top[n-1].bound || x.used(b.g, d) >= b.g.capacity(d) {
			continue
		}
		n = min(n+1, branches)
		at := n - 1
		for ; at > 0 && top[at-1].bound > x.bound; at-- {
			top[at] = top[at-1]
		}
		top[at] = x
	}
	for i := range n {
		x := top[i]
		b.layers[j] = append(b.layers[j], &x)
	}
}

func (b *beam) finish(p *partial, cost int64) {
	if cost >= b.cutoff {
		return
	}
	if path := p.path(b.g.units); b.g.stages(path) != nil {
		b.best, b.cutoff = path, cost
	}
}
