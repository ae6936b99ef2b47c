package solver

import (
	"math/bits"
	"slices"

	"github.com/edgeshard/edgeshard"
)

// A graph is a problem as a search for the cheapest path through the layers of
// (unit, class): a step gives units [i, j) to a device of a class, a hop leads to
// the next one. Constraints that look at one stage or hop alone have deleted
// steps and hops; what a path does to a device over several visits has not.
type graph struct {
	p       *Problem
	units   int // a path ends there; fewer than the problem's where the tail is fixed
	classes int
	source  int
	count   []int // devices of a class

	cost, extra       [][]int64 // [class][unit] prefix sums of what is minimised, and of what is bounded
	hop, extraHop     [][]int64 // [from][to]
	ret, extraReturn  []int64
	first, extraFirst []int64   // [class] to start a path there; never where none may
	limit             int64     // of the extra cost; never where nothing is bounded
	reach             [][]int32 // [class][unit] the furthest end of a stage that starts there

	shared bool    // the visits to a device share its memory; else there is one visit at most
	quanta []int64 // [unit] prefix sums of weight, in a common divisor
	room   []int64 // [class] of a device, in the same

	forced []int // classes a path must visit
}

// A variant is which of a problem's graphs is meant.
type variant struct {
	tau  int64 // the most a stage or link may be busy in a decode pass; never: no such bound
	tail int   // without revisits and with the last unit at the source: where its last stage starts; else 0
}

// newGraph returns the variant's graph. The latency of a request is minimised for
// the latency objective, the loop time of a decode pass for throughput; the
// other one is bounded where the problem bounds it.
func newGraph(p *Problem, v variant) *graph {
	g := &graph{p: p, units: p.Units, classes: len(p.Classes), source: p.Devices[p.Source].Class, shared: p.Revisits, limit: p.MaxLoop}
	if v.tail > 0 {
		g.units = v.tail
	}
	request := func(l Link) int64 { return l.Request }
	step := func(l Link) int64 { return l.Step }
	g.cost, g.hop, g.ret = g.draw(v, func(c *Class) []int64 { return c.Request }, request)
	g.extra, g.extraHop, g.extraReturn = g.draw(v, func(c *Class) []int64 { return c.Step }, step)
	if p.Objective == edgeshard.Throughput {
		g.cost, g.hop, g.ret, g.extra, g.extraHop, g.extraReturn = g.extra, g.extraHop, g.extraReturn, g.cost, g.hop, g.ret
		g.limit = p.MaxRequest
	}
	for k := range p.Classes {
		g.count, g.first = append(g.count, len(p.Classes[k].Members)), append(g.first, never)
	}
	g.first[g.source], g.extraFirst = 0, make([]int64, g.classes)
	for _, d := range p.Forced {
		if d != p.Source {
			g.forced = append(g.forced, p.Devices[d].Class)
		}
	}
	g.cutLinks(v)
	g.cutStages(v)
	g.weigh()
	return g
}

// draw returns the prefix sums, hops and returns of one of the two costs. With a
// fixed tail the return takes the activations to the source, which runs it.
func (g *graph) draw(v variant, unit func(*Class) []int64, link func(Link) int64) (time, hop [][]int64, ret []int64) {
	p := g.p
	var tail int64
	if v.tail > 0 {
		tail = sum(unit(&p.Classes[g.source])[v.tail:])
	}
	for k := range p.Classes {
		time = append(time, prefix(unit(&p.Classes[k])[:g.units]))
		row := make([]int64, g.classes)
		for to := range row {
			if row[to] = link(p.Links[k][to]); k == to && len(p.Classes[k].Members) == 1 {
				row[to] = never
			}
		}
		hop = append(hop, row)
		switch {
		case v.tail == 0:
			ret = append(ret, link(p.Return[k]))
		case k == g.source:
			ret = append(ret, never)
		default:
			ret = append(ret, min(link(p.Links[k][g.source])+tail, never))
		}
	}
	return time, hop, ret
}

// cutLinks deletes the hops whose link would be busy for longer than tau.
func (g *graph) cutLinks(v variant) {
	for a := range g.classes {
		for b := range g.classes {
			if g.p.Links[a][b].Occupancy > v.tau {
				g.hop[a][b] = never
			}
		}
		back := g.p.Return[a]
		if v.tail > 0 {
			back = g.p.Links[a][g.source]
		}
		if back.Occupancy > v.tau {
			g.ret[a] = never
		}
	}
}

// cutStages finds how far a stage reaches before memory, tau or a pin ends it.
func (g *graph) cutStages(v variant) {
	p := g.p
	for k := range p.Classes {
		c := &p.Classes[k]
		room, busy := c.Budget, v.tau-c.Visit
		if v.tail > 0 && k == g.source {
			room -= sum(p.Weight[v.tail:])
			busy -= c.Visit + sum(c.Step[v.tail:])
		}
		g.reach = append(g.reach, g.reachOf(k, room, busy))
	}
}

func (g *graph) reachOf(k int, room, busy int64) []int32 {
	class, reach := &g.p.Classes[k], make([]int32, g.units)
	for i, j := 0, 0; i < g.units; i++ {
		if j < i {
			j = i
		}
		for j < g.units && class.Request[j] < longest && g.p.Weight[j] <= room && g.p.Occupies(k, j) <= busy && g.allows(k, j) {
			room, busy, j = room-g.p.Weight[j], busy-g.p.Occupies(k, j), j+1
		}
		reach[i] = int32(j)
		if j > i {
			room, busy = room+g.p.Weight[i], busy+g.p.Occupies(k, i)
		}
	}
	return reach
}

// allows tells whether unit u may be on class k.
func (g *graph) allows(k, u int) bool {
	pin := g.p.Pin(u)
	return pin < 0 || g.p.Devices[pin].Class == k
}

// weigh states memory in the weights' greatest common divisor, so that a label
// can pack what several devices hold into a word.
func (g *graph) weigh() {
	if !g.shared {
		return
	}
	var divisor int64
	for _, w := range g.p.Weight {
		divisor = gcd(divisor, w)
	}
	divisor = max(divisor, 1)
	weights := make([]int64, g.units)
	for u := range weights {
		weights[u] = g.p.Weight[u] / divisor
	}
	g.quanta = prefix(weights)
	sums := fills(weights)
	for k := range g.p.Classes {
		g.room = append(g.room, fillable(sums, max(g.p.Classes[k].Budget, 0)/divisor))
	}
}

// fillable returns the most of room that whole units can fill, which fills gives;
// room where it gives nothing.
func fillable(sums []int64, room int64) int64 {
	if sums == nil {
		return room
	}
	at, found := slices.BinarySearch(sums, room)
	if !found {
		at--
	}
	return sums[at]
}

// fills returns the amounts that sets of units fill, ascending, or nil where the
// units are of more than three weights.
func fills(weights []int64) []int64 {
	count := make(map[int64]int)
	for _, w := range weights {
		count[w]++
	}
	if len(count) > 3 {
		return nil
	}
	sums := []int64{0}
	for w, n := range count {
		for _, s := range sums {
			for range n {
				s += w
				sums = append(sums, s)
			}
		}
	}
	slices.Sort(sums)
	return slices.Compact(sums)
}

// use returns what a stage takes of its device: memory, or the one visit.
func (g *graph) use(i, j int) int64 {
	if g.shared {
		return g.quanta[j] - g.quanta[i]
	}
	return 1
}

// capacity returns what all devices of a class have of it.
func (g *graph) capacity(k int) int64 {
	n := int64(g.count[k])
	if !g.shared {
		return n
	}
	if hi, lo := bits.Mul64(uint64(n), uint64(g.room[k])); hi == 0 && lo < 1<<62 {
		return min(int64(lo), g.quanta[g.units])
	}
	return g.quanta[g.units]
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// prefix returns the sums of x[:0], x[:1], ..., x.
func prefix(x []int64) []int64 {
	sums := make([]int64, len(x)+1)
	for i, v := range x {
		sums[i+1] = sums[i] + v
	}
	return sums
}
