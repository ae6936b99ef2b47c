package solver

import (
	"cmp"
	"slices"
)

// A relaxation is the graph without what a path does over several visits, and
// with multipliers instead: a shortest path in layers × classes. Its tables
// bound what completing a path costs.
type relaxation struct {
	g       *graph
	cost    [][]int64 // [class][unit] prefix sums, priced
	visit   []int64   // [class] price of a visit
	back    int64     // what the capacities give back
	start   [][]int64 // [unit][class] from the start of a stage to the end, its visit priced
	end     [][]int64 // [unit][class] from the end of a stage to the end
	to      [][]int32 // [unit][class] where the best stage ends
	next    [][]int32 // [unit][class] the class after
	nearest []int64   // [class] its cheapest hop
	order   []int32
}

func newRelaxation(g *graph) *relaxation {
	r := &relaxation{g: g, start: grid[int64](g), end: grid[int64](g), to: grid[int32](g), next: grid[int32](g)}
	for k := range g.classes {
		r.nearest = append(r.nearest, slices.Min(g.hop[k]))
	}
	return r
}

func grid[T any](g *graph) [][]T {
	all := make([]T, (g.units+1)*g.classes)
	rows := make([][]T, g.units+1)
	for i := range rows {
		rows[i] = all[i*g.classes : (i+1)*g.classes : (i+1)*g.classes]
	}
	return rows
}

// solve computes the tables for multipliers and returns the bound: every path
// within the capacities costs at least that.
func (r *relaxation) solve(m multipliers) int64 {
	g := r.g
	r.cost, r.visit, r.back = g.priced(m)
	copy(r.end[g.units], g.ret)
	for i := g.units - 1; i >= 0; i-- {
		r.starts(i)
		if i > 0 {
			r.ends(i)
		}
	}
	return r.bound()
}

func (r *relaxation) bound() int64 {
	if least := r.start[0][r.g.source]; least < never {
		return least - r.back
	}
	return never
}

// starts computes start[i]: the best end of a stage from unit i on.
func (r *relaxation) starts(i int) {
	r.order = r.order[:0]
	for k := range r.g.classes {
		cost, least, at := r.cost[k], never, int32(0)
		for j := i + 1; j <= int(r.g.reach[k][i]); j++ {
			if x := r.end[j][k] + cost[j]; x < least {
				least, at = x, int32(j)
			}
		}
		r.start[i][k] = never
		if at > 0 && least-cost[i]+r.visit[k] < never {
			r.start[i][k], r.to[i][k] = least-cost[i]+r.visit[k], at
			r.order = append(r.order, int32(k))
		}
	}
	row := r.start[i]
	slices.SortFunc(r.order, func(a, b int32) int { return cmp.Compare(row[a], row[b]) })
}

// ends computes end[i]: the best hop from each class to a stage that starts at
// unit i, cheapest stages first, until no hop can make up for a dearer one.
func (r *relaxation) ends(i int) {
	row := r.start[i]
	for k := range r.g.classes {
		hop, least, to := r.g.hop[k], never, int32(-1)
		for _, d := range r.order {
			if row[d]+r.nearest[k] >= least {
				break
			}
			if x := row[d] + hop[d]; x < least {
				least, to = x, d
			}
		}
		r.end[i][k], r.next[i][k] = least, to
	}
}

// path returns the relaxation's best path.
func (r *relaxation) path() []visit {
	var path []visit
	for i, k := 0, r.g.source; ; {
		j := int(r.to[i][k])
		path = append(path, visit{k, i, j})
		if j == r.g.units {
			return path
		}
		i, k = j, int(r.next[j][k])
	}
}
