package solver

import (
	"cmp"
	"slices"
)

// A relaxation is the graph without what a path does over several visits, and
// with multipliers instead: a shortest path in layers × classes. Its tables
// bound what completing a path costs.
type relaxation struct {
	g     *graph
	cost  [][]int64 // [class][unit] prefix sums, priced
	visit []int64   // [class] price of a visit
	back  int64     // what the capacities give back
	tables
	to    [][]int32 // [unit][class] where the best stage ends
	next  [][]int32 // [class][unit] the class after
	near  [][]int32 // [class] the others, cheapest hop first
	order []int32   // classes, cheapest start first at the unit looked at
}

func newRelaxation(g *graph) *relaxation {
	n, k := g.units+1, g.classes
	r := &relaxation{g: g, tables: newTables(g), to: grid[int32](n, k), next: grid[int32](k, n)}
	for k := range g.classes {
		var near []int32
		for d, x := range g.hop[k] {
			if x < never {
				near = append(near, int32(d))
			}
		}
		slices.SortStableFunc(near, func(a, b int32) int { return cmp.Compare(g.hop[k][a], g.hop[k][b]) })
		r.near, r.order = append(r.near, near), append(r.order, int32(k))
	}
	return r
}

func grid[T any](rows, columns int) [][]T {
	all, grid := make([]T, rows*columns), make([][]T, rows)
	for i := range grid {
		grid[i] = all[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return grid
}

// solve computes the tables for multipliers and returns the bound: every path
// within the capacities costs at least that.
func (r *relaxation) solve(m multipliers) int64 {
	g := r.g
	r.price(m)
	for k, x := range g.ret {
		r.end[k][g.units] = x
	}
	for i := g.units - 1; i >= 0; i-- {
		r.starts(i)
		if i > 0 {
			r.ends(i)
		}
	}
	return r.bound()
}

// price takes multipliers into the costs.
func (r *relaxation) price(m multipliers) { r.cost, r.visit, r.back = r.g.priced(m) }

func (r *relaxation) bound() int64 {
	if least := r.start[0][r.g.source]; least < never {
		return least - r.back
	}
	return never
}

// starts computes start[i]: the best end of a stage from unit i on.
func (r *relaxation) starts(i int) {
	row := r.start[i]
	for k := range row {
		j := int(r.g.reach[k][i])
		cost, end, least, at := r.cost[k][i:j+1], r.end[k][i:j+1], never, 0
		for n := 1; n < len(cost) && n < len(end); n++ {
			if x := end[n] + cost[n]; x < least {
				least, at = x, n
			}
		}
		row[k] = never
		if at > 0 && least-cost[0]+r.visit[k] < never {
			row[k], r.to[i][k] = least-cost[0]+r.visit[k], int32(i+at)
		}
	}
	// The order at the unit after is nearly right: an insertion sort.
	for n, k := range r.order {
		x := row[k]
		for ; n > 0 && row[r.order[n-1]] > x; n-- {
			r.order[n] = r.order[n-1]
		}
		r.order[n] = k
	}
}

// ends computes end[i]: the best hop from each class to a stage that starts at
// unit i. Stages are looked at cheapest first and hops cheapest first, in turns,
// until the next of both together are no better (Fagin's threshold algorithm).
func (r *relaxation) ends(i int) {
	row := r.start[i]
	for k, near := range r.near {
		hop, least, to := r.g.hop[k], never, int32(-1)
		for n, b := range near {
			a := r.order[n]
			if row[a]+hop[b] >= least {
				break
			}
			if x := row[a] + hop[a]; x < least {
				least, to = x, a
			}
			if x := row[b] + hop[b]; x < least {
				least, to = x, b
			}
		}
		r.end[k][i], r.next[k][i] = least, to
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
		i, k = j, int(r.next[k][j])
	}
}
