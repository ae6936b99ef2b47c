package solver

import (
	"cmp"
	"slices"
)

// partial is a path's end in a beam: about to start a stage at unit on class.
type partial struct {
	cost, extra int64
	bound       int64 // what completing it costs at least
	order       int   // in which it was come upon: of equals the first goes on
	parent      *partial
	class, unit int
}

func (p *partial) compare(q *partial) int {
	return cmp.Or(cmp.Compare(p.bound, q.bound), cmp.Compare(p.order, q.order))
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
	layers [][][]partial // of each unit and class, the most promising paths in order
	found  int
	cutoff int64
	best   []visit
}

// alike is how many paths go on from one unit and class.
const alike = 3

// search returns a path cheaper than the cutoff that breaks no constraint, and
// its cost; nil where it comes upon none.
func (b *beam) search() ([]visit, int64) {
	b.layers = make([][][]partial, b.g.units+1)
	for i := range b.layers {
		b.layers[i] = make([][]partial, b.g.classes)
	}
	b.layers[0][b.g.source] = []partial{{class: b.g.source}}
	for i := range b.g.units {
		for _, p := range b.promising(b.layers[i]) {
			b.stages(p)
		}
		b.layers[i] = nil
	}
	return b.best, b.cutoff
}

// keep takes a partial path in if it is among the most promising of its unit and class.
func (b *beam) keep(x partial) {
	b.found++
	x.order = b.found
	kept := &b.layers[x.unit][x.class]
	if len(*kept) == alike && x.bound >= (*kept)[alike-1].bound {
		return
	}
	if *kept == nil {
		*kept = make([]partial, 0, alike)
	}
	list := (*kept)[:min(len(*kept)+1, alike)]
	at := len(list) - 1
	for ; at > 0 && list[at-1].bound > x.bound; at-- {
		list[at] = list[at-1]
	}
	list[at], *kept = x, list
}

// promising returns the partial paths to go on with.
func (b *beam) promising(layer [][]partial) []*partial {
	var chosen []*partial
	for _, kept := range layer {
		for i := range kept {
			chosen = append(chosen, &kept[i])
		}
	}
	slices.SortFunc(chosen, (*partial).compare)
	return chosen[:min(len(chosen), b.width)]
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
		onward := cost + b.g.hop[p.class][d]
		bound := onward + b.r.start[j][d]
		if bound >= never || bound-b.r.back >= b.cutoff || n == branches && bound >= top[n-1].bound {
			continue
		}
		x := partial{class: d, unit: j, parent: p, cost: onward, extra: extra + b.g.extraHop[p.class][d], bound: bound}
		if x.used(b.g, d) >= b.g.capacity(d) {
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
		b.keep(top[i])
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
