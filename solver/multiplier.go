package solver

import "math/bits"

// Multipliers price what the devices of a class have: one visit, or all their
// memory where visits share it. Charging them and giving the price of all there
// is back bounds every path from below (Lagrangian relaxation): a path within
// the capacities is charged no more than is given back.
type multipliers []int64 // [class] ns for one device

// priced returns the graph's stage costs with multipliers in them: prefix sums of
// what units cost, what a visit costs, and what all devices together give back.
func (g *graph) priced(m multipliers) (cost [][]int64, visit []int64, back int64) {
	for k, price := range m {
		back += price * int64(g.count[k])
	}
	if !g.shared {
		return g.cost, m, back
	}
	cost = make([][]int64, g.classes)
	for k := range cost {
		cost[k] = g.cost[k]
		if m[k] > 0 {
			cost[k] = g.pricedClass(k, m[k])
		}
	}
	return cost, make([]int64, g.classes), back
}

// pricedClass charges each unit its share of a device's memory, rounded down, so
// that the units of a full device are charged at most the price.
func (g *graph) pricedClass(k int, price int64) []int64 {
	cost := make([]int64, g.units+1)
	for u := range g.units {
		hi, lo := bits.Mul64(uint64(price), uint64(g.quanta[u+1]-g.quanta[u]))
		var share uint64
		if room := uint64(g.room[k]); hi < room {
			share, _ = bits.Div64(hi, lo, room)
		}
		cost[u+1] = cost[u] + g.cost[k][u+1] - g.cost[k][u] + int64(share)
	}
	return cost
}

// step moves the multipliers along the subgradient of a path that costs bound,
// towards target: up where the path overuses a class, down where it leaves some.
// It returns false where the path leaves nothing to move.
func (m multipliers) step(g *graph, path []visit, bound, target int64, scale float64) bool {
	slope, norm := make([]float64, len(m)), 0.0
	used := g.used(path)
	for k := range m {
		unit := 1.0
		if g.shared {
			unit = max(float64(g.room[k]), 1)
		}
		slope[k] = float64(used[k])/unit - float64(g.count[k])
		if slope[k] > 0 || m[k] > 0 {
			norm += slope[k] * slope[k]
		}
	}
	if norm == 0 {
		return false
	}
	length := scale * float64(target-bound) / norm
	for k := range m {
		if slope[k] > 0 || m[k] > 0 {
			m[k] = max(0, min(m[k]+int64(length*slope[k]), longest))
		}
	}
	return true
}

// used returns what a path takes of each class.
func (g *graph) used(path []visit) []int64 {
	used := make([]int64, g.classes)
	for _, v := range path {
		used[v.class] += g.use(v.from, v.to)
	}
	return used
}
