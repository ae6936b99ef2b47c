package solver

import "github.com/edgeshard/edgeshard"

// A visit is a stage on some device of a class.
type visit struct{ class, from, to int }

// price returns what a path costs and what its extra cost is.
func (g *graph) price(path []visit) (cost, extra int64) {
	for i, v := range path {
		cost += g.cost[v.class][v.to] - g.cost[v.class][v.from]
		extra += g.extra[v.class][v.to] - g.extra[v.class][v.from]
		if i+1 < len(path) {
			next := path[i+1].class
			cost, extra = cost+g.hop[v.class][next], extra+g.extraHop[v.class][next]
			continue
		}
		cost, extra = cost+g.ret[v.class], extra+g.extraReturn[v.class]
	}
	return cost, extra
}

// assign gives each visit a device of its class: one of its own while there are
// any; once there are not, the one of those used that has the memory, first fit.
// It returns false where that does not fit, which for more visits than devices
// does not prove that nothing does.
func (g *graph) assign(path []visit) ([]int, bool) {
	devices, taken := make([]int, len(path)), make([]int, g.classes)
	free := make(map[int]int64)
	for i, v := range path {
		c := &g.p.Classes[v.class]
		if taken[v.class] < len(c.Members) {
			devices[i] = c.Members[taken[v.class]]
			taken[v.class]++
			if g.shared {
				free[devices[i]] = g.room[v.class] - g.use(v.from, v.to)
			}
			continue
		}
		if devices[i] = g.refit(v, free); devices[i] < 0 {
			return nil, false
		}
	}
	return devices, true
}

func (g *graph) refit(v visit, free map[int]int64) int {
	if !g.shared {
		return -1
	}
	for _, d := range g.p.Classes[v.class].Members {
		if need := g.use(v.from, v.to); free[d] >= need {
			free[d] -= need
			return d
		}
	}
	return -1
}

// stages turns a path into stages, or returns nil where it breaks a constraint.
func (g *graph) stages(path []visit) []edgeshard.Stage {
	devices, ok := g.assign(path)
	if !ok {
		return nil
	}
	at := make([]int, g.p.Units)
	for i, v := range path {
		for u := v.from; u < v.to; u++ {
			at[u] = devices[i]
		}
	}
	for u := g.units; u < g.p.Units; u++ {
		at[u] = g.p.Source
	}
	s := stagesOf(g.p, at)
	if g.p.Check(s) != nil {
		return nil
	}
	return s
}
