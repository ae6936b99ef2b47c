package solver

import (
	"context"
	"slices"

	"github.com/edgeshard/edgeshard"
)

// paperLatency is Algorithm 1 of the EdgeShard paper as its authors coded it:
// DP(i,j) is the best time of units 0..i with unit i on device j, and the memory
// left is carried along the one path stored for each state. So it is greedy in
// memory: it can miss the best plan, or every plan. Only the devices given take part.
func paperLatency(ctx context.Context, p *Problem, devices []int) ([]edgeshard.Stage, error) {
	t := newPaperTable(p, devices)
	for u := 1; u < p.Units; u++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.extend(u)
	}
	return t.best()
}

type paperTable struct {
	p       *Problem
	devices []int
	cost    []int64   // [state] of the units so far; never where there is no path
	left    [][]int64 // [state][device] memory left along the path
	from    [][]int   // [unit][state] state of the unit before
}

func newPaperTable(p *Problem, devices []int) *paperTable {
	n := len(devices)
	t := &paperTable{p: p, devices: devices, cost: make([]int64, n), left: make([][]int64, n), from: [][]int{make([]int, n)}}
	for j, d := range devices {
		t.cost[j] = never
		if d != p.Source || p.Class(d).Budget < p.Weight[0] {
			continue
		}
		left := make([]int64, n)
		for x, e := range devices {
			left[x] = p.Class(e).Budget
		}
		left[j] -= p.Weight[0]
		t.cost[j], t.left[j] = p.Class(d).Request[0], left
	}
	return t
}

// extend puts unit u on each device, behind the cheapest state whose path leaves
// it the memory.
func (t *paperTable) extend(u int) {
	n := len(t.devices)
	cost, left, from := make([]int64, n), make([][]int64, n), make([]int, n)
	for j, d := range t.devices {
		cost[j], from[j] = never, -1
		if pin := t.p.Pin(u); pin >= 0 && pin != d {
			continue
		}
		compute := t.p.Class(d).Request[u]
		for k, e := range t.devices {
			if t.cost[k] >= never || t.left[k][j] < t.p.Weight[u] {
				continue
			}
			if c := t.cost[k] + t.p.Link(e, d).Request + compute; c < cost[j] {
				cost[j], from[j] = c, k
			}
		}
		if from[j] >= 0 {
			left[j] = slices.Clone(t.left[from[j]])
			left[j][j] -= t.p.Weight[u]
		}
	}
	t.cost, t.left, t.from = cost, left, append(t.from, from)
}

// best returns the stages of the cheapest state, the return included.
func (t *paperTable) best() ([]edgeshard.Stage, error) {
	end, cost := -1, never
	for j, d := range t.devices {
		if t.cost[j] >= never {
			continue
		}
		back := t.p.Return[t.p.Devices[d].Class].Request
		if c := t.cost[j] + back; c < cost {
			end, cost = j, c
		}
	}
	if end < 0 {
		return nil, &Infeasible{Reasons: []Reason{{Text: "the greedy memory of the paper's algorithm leaves it no path"}}}
	}
	at := make([]int, t.p.Units)
	for u, j := t.p.Units-1, end; u >= 0; u-- {
		at[u], j = t.devices[j], t.from[u][j]
	}
	return stagesOf(t.p, at), nil
}

// stagesOf joins neighbouring units on one device to stages.
func stagesOf(p *Problem, at []int) []edgeshard.Stage {
	return edgeshard.StagesOf(at, func(d int) string { return p.Devices[d].Name })
}
