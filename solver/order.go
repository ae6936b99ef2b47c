package solver

import "slices"

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

// narrowest returns the least that the busiest stage or link of the order is busy.
func (o *order) narrowest() int64 {
	g, p := o.g, o.g.p
	busy := slices.Repeat([]int64{never}, g.units+1) // [unit] before a stage there
	busy[0] = 0
	for at, k := range o.classes {
		var link int64
		if at > 0 {
			link = p.Links[o.classes[at-1]][k].Occupancy
		}
		ended := slices.Repeat([]int64{never}, g.units+1)
		for i := range g.units {
			took := max(busy[i], link)
			for j := i + 1; j <= int(g.reach[k][i]) && took < never; j++ {
				ended[j] = min(ended[j], max(took, sum(p.Classes[k].Step[i:j])))
			}
		}
		busy = ended
	}
	return max(busy[g.units], p.Return[o.classes[len(o.classes)-1]].Occupancy)
}
