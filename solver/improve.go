package solver

import "context"

// improved repairs a relaxed path and improves it until no single change helps.
// It returns nil where that comes to no plan.
func improved(ctx context.Context, g *graph, path []visit) []visit {
	o := newOrder(g, path)
	for ctx.Err() == nil && o.repair() {
	}
	for at := range o.classes {
		if o.visits[o.classes[at]] > g.count[o.classes[at]] {
			return nil
		}
	}
	o.descend(ctx)
	return o.path()
}

// descend changes the order until no single change helps.
func (o *order) descend(ctx context.Context) {
	for cost := never; ctx.Err() == nil; {
		o.tabulate()
		if now := o.rest[0][0]; now >= cost {
			break
		}
		cost = o.rest[0][0]
		o.change(o.bestChange(1, len(o.classes)))
	}
	o.tabulate()
}

// greedy returns a path to improve: from each device to the one that runs what it
// can hold in the least time a unit, the hop included, until all units are held.
// Its cuts are not feasible as they stand.
func greedy(g *graph) []visit {
	visits := make([]int, g.classes)
	var path []visit
	for at, unit := g.source, 0; ; {
		visits[at]++
		end := max(int(g.reach[at][unit]), unit)
		path = append(path, visit{at, unit, end})
		if unit = end; unit >= g.units {
			return path
		}
		next, least := -1, 0.0
		for k := range g.classes {
			held := int64(g.reach[k][unit]) - int64(unit)
			if held <= 0 || visits[k] >= g.count[k] || g.hop[at][k] >= never {
				continue
			}
			time := float64(g.hop[at][k]+g.cost[k][unit+int(held)]-g.cost[k][unit]) / float64(held)
			if next < 0 || time < least {
				next, least = k, time
			}
		}
		if next < 0 {
			return path
		}
		at = next
	}
}

// repair replaces, or else removes, one visit too many, and tells whether there was one.
func (o *order) repair() bool {
	for at := 1; at < len(o.classes); at++ {
		if k := o.classes[at]; o.visits[k] > o.g.count[k] {
			o.tabulate()
			c := o.bestChange(at, at+1)
			if c.kind == replace || c.kind == remove {
				o.change(c)
				return true
			}
			o.change(change{kind: remove, at: at})
			return true
		}
	}
	return false
}

// A change of an order at a position.
type change struct {
	kind  changeKind
	at    int
	class int
}

type changeKind int

const (
	none changeKind = iota
	replace
	insert
	remove
)

// bestChange returns the change at positions [from, to) that costs least, none
// where every one costs more than the order as it is, unless that is no plan.
func (o *order) bestChange(from, to int) change {
	best, least := change{}, o.rest[0][0]
	if o.visits[o.classes[min(from, len(o.classes)-1)]] > o.g.count[o.classes[min(from, len(o.classes)-1)]] {
		least = never
	}
	try := func(c change, cost int64) {
		if cost < least {
			best, least = c, cost
		}
	}
	for at := from; at < to; at++ {
		try(change{remove, at, 0}, o.without(at))
		other, more := o.worth(at, at+1), o.worth(at, at)
		for k := range o.g.classes {
			if o.visits[k] >= o.g.count[k] {
				continue
			}
			if o.detour(at, at+1, k) < other {
				try(change{replace, at, k}, o.with(at, at+1, k))
			}
			if o.detour(at, at, k) < more {
				try(change{insert, at, k}, o.with(at, at, k))
			}
		}
	}
	for k := range o.g.classes {
		if to == len(o.classes) && o.visits[k] < o.g.count[k] {
			try(change{insert, to, k}, o.with(to, to, k))
		}
	}
	return best
}

// nearby is how far from where it is now a cut is looked for beside a stage that
// is put in.
const nearby = 8

// detour returns what the hops to class k and on to the stage at next cost.
func (o *order) detour(at, next, k int) int64 {
	hops := o.g.hop[o.classes[at-1]][k]
	if next < len(o.classes) {
		hops += o.g.hop[k][o.classes[next]]
	}
	return hops
}

// worth returns the detour from which on a stage between positions cannot pay:
// the hops there are now and all that the stages there and beside them compute.
func (o *order) worth(at, next int) int64 {
	if o.cuts == nil {
		return never
	}
	var now int64
	for i := at - 1; i <= min(next, len(o.classes)-1); i++ {
		k := o.classes[i]
		if now += o.g.cost[k][o.cuts[i+1]] - o.g.cost[k][o.cuts[i]]; i >= at {
			now += o.g.hop[o.classes[i-1]][k]
		}
	}
	return now
}

// with returns what the order costs with a stage on class k between the one
// before position at and the one at next, which starts about where the one at
// that position does now.
func (o *order) with(at, next, k int) int64 {
	g, least := o.g, never
	ahead, hop, cost := o.ahead[at-1], g.hop[o.classes[at-1]][k], g.cost[k]
	var rest []int64
	var on int64
	if next < len(o.classes) {
		rest, on = o.rest[next], g.hop[k][o.classes[next]]
	}
	from, to := 1, g.units
	if o.cuts != nil {
		from, to = max(1, o.cuts[at]-nearby), min(g.units, o.cuts[at]+nearby)
	}
	for i := from; i < to; i++ {
		before := ahead[i] + hop - cost[i]
		if ahead[i]+hop >= never {
			continue
		}
		end := int(g.reach[k][i])
		if rest == nil {
			if end == g.units {
				least = min(least, before+cost[end]+g.ret[k])
			}
			continue
		}
		for j := i + 1; j <= min(end, g.units-1); j++ {
			least = min(least, before+cost[j]+rest[j]+on)
		}
	}
	return least
}

// without returns what the order costs without the stage at a position.
func (o *order) without(at int) int64 {
	least := never
	k := o.classes[at-1]
	for j := 1; j <= o.g.units; j++ {
		if ahead := o.ahead[at-1][j]; ahead < never {
			least = min(least, ahead+o.onward(k, at+1, j))
		}
	}
	return least
}

func (o *order) change(c change) {
	if c.kind == replace || c.kind == remove {
		o.visits[o.classes[c.at]]--
	}
	if c.kind == replace || c.kind == insert {
		o.visits[c.class]++
	}
	switch c.kind {
	case replace:
		o.classes[c.at] = c.class
	case insert:
		o.classes = append(o.classes[:c.at:c.at], append([]int{c.class}, o.classes[c.at:]...)...)
	case remove:
		o.classes = append(o.classes[:c.at:c.at], o.classes[c.at+1:]...)
	}
}
