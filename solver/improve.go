package solver

import "context"

// An order is a sequence of classes to be visited one after another, once for
// each device at most; for a given one the best cuts are a short dynamic
// program, and so is the best class to put in, take out or put in place of another.
type order struct {
	g       *graph
	classes []int
	visits  []int     // [class]
	ahead   [][]int64 // [position][unit] least cost up to the end of that stage
	rest    [][]int64 // [position][unit] least cost from the start of that stage
	cuts    []int     // [position] where the stage starts in the best cuts; the units at the end
}

func newOrder(g *graph, path []visit) *order {
	o := &order{g: g, visits: make([]int, g.classes)}
	for _, v := range path {
		o.classes = append(o.classes, v.class)
		o.visits[v.class]++
	}
	return o
}

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

// tabulate computes the tables for the order as it is.
func (o *order) tabulate() {
	g, n := o.g, len(o.classes)
	o.ahead, o.rest = rows(n, g.units+1), rows(n+1, g.units+1)
	for at, k := range o.classes {
		before := func(i int) int64 {
			if at == 0 {
				return int64(min(i, 1)) * never
			}
			return o.ahead[at-1][i] + g.hop[o.classes[at-1]][k]
		}
		for i := range g.units {
			if b := before(i); b < never {
				for j := i + 1; j <= int(g.reach[k][i]); j++ {
					o.ahead[at][j] = min(o.ahead[at][j], b+g.cost[k][j]-g.cost[k][i])
				}
			}
		}
	}
	for at := n - 1; at >= 0; at-- {
		k := o.classes[at]
		for i := range g.units {
			for j := i + 1; j <= int(g.reach[k][i]); j++ {
				o.rest[at][i] = min(o.rest[at][i], g.cost[k][j]-g.cost[k][i]+o.onward(k, at+1, j))
			}
		}
	}
	o.trace()
}

// trace notes where the best cuts are.
func (o *order) trace() {
	o.cuts = nil
	if path := o.path(); path != nil {
		for _, v := range path {
			o.cuts = append(o.cuts, v.from)
		}
		o.cuts = append(o.cuts, o.g.units)
	}
}

func rows(n, m int) [][]int64 {
	r := make([][]int64, n)
	for i := range r {
		r[i] = make([]int64, m)
		for j := range r[i] {
			r[i][j] = never
		}
	}
	return r
}

// onward returns the least cost from the end of a stage on class k at unit j,
// when the stage at a position comes next.
func (o *order) onward(k, next, j int) int64 {
	if next == len(o.classes) {
		if j == o.g.units {
			return o.g.ret[k]
		}
		return never
	}
	if j == o.g.units {
		return never
	}
	return min(o.g.hop[k][o.classes[next]]+o.rest[next][j], never)
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

// path returns the order's best cuts, nil where it has none.
func (o *order) path() []visit {
	if o.rest[0][0] >= never {
		return nil
	}
	var path []visit
	i := 0
	for at, k := range o.classes {
		for j := i + 1; j <= int(o.g.reach[k][i]); j++ {
			if o.g.cost[k][j]-o.g.cost[k][i]+o.onward(k, at+1, j) == o.rest[at][i] {
				path = append(path, visit{k, i, j})
				i = j
				break
			}
		}
	}
	return path
}
