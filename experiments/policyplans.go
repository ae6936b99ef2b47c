package experiments

import (
	"context"
	"math"
	"slices"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// parallax takes the fewest devices that hold the weights, the largest first, and
// divides the blocks by FLOPS, none beyond its memory: it fills them like vessels
// to one level. The first holds the embedding too, the last the head.
func parallax(_ context.Context, c *cluster) ([]edgeshard.Stage, error) {
	order, blocks := c.largestFirst(), c.Units-2
	for n := 1; n <= len(order); n++ {
		caps, total := make([]int, n), 0
		for i, d := range order[:n] {
			beside := int64(0)
			if i == 0 {
				beside += c.weights[0]
			}
			if i == n-1 {
				beside += c.weights[c.Units-1]
			}
			caps[i] = c.capacity(d, beside)
			total += caps[i]
		}
		if total >= blocks {
			counts := c.level(order[:n], caps, blocks)
			counts[0]++
			counts[n-1]++
			return c.stages(order[:n], counts), nil
		}
	}
	return nil, lacking("the memory of all devices does not hold the weights")
}

// level divides blocks so that each device has the level times its FLOPS, or its
// capacity where that is less: rounded down, and one more for those that lost most.
func (c *cluster) level(devices, caps []int, blocks int) []int {
	fill := func(level float64) (parts []float64, sum float64) {
		for i, d := range devices {
			parts = append(parts, min(float64(caps[i]), level*c.flops[d]))
			sum += parts[i]
		}
		return parts, sum
	}
	low, high := 0.0, 0.0
	for i, d := range devices {
		high = max(high, float64(caps[i])/c.flops[d])
	}
	for range 64 {
		if _, sum := fill((low + high) / 2); sum >= float64(blocks) {
			high = (low + high) / 2
		} else {
			low = (low + high) / 2
		}
	}
	parts, _ := fill(high)
	counts, lost := make([]int, len(parts)), make([]float64, len(parts))
	for i, x := range parts {
		counts[i] = int(x)
		lost[i] = x - float64(counts[i])
		blocks -= counts[i]
	}
	for ; blocks > 0; blocks-- {
		i := slices.Index(lost, slices.Max(lost))
		counts[i]++
		if lost[i]--; counts[i] == caps[i] {
			lost[i] = math.Inf(-1)
		}
	}
	return counts
}

// pipeEdge finds the plan with the least longest stage or transfer within memory,
// exactly, as the solver "edgeshard" does. Memory is that of the weights; a device
// has one bandwidth, a link the lower of its ends' and no latency.
func pipeEdge(ctx context.Context, c *cluster) ([]edgeshard.Stage, error) {
	view := *c.Problem
	view.Objective, view.Revisits, view.Weight = edgeshard.Throughput, false, c.weights
	view.MaxLoop, view.MaxRequest = solver.Never, solver.Never
	least := make([]int64, len(c.Links))
	for a := range c.Links {
		least[a] = solver.Never
		for b := range c.Links {
			if a != b || len(c.Classes[a].Members) > 1 {
				least[a] = min(least[a], c.Links[a][b].Occupancy, c.Links[b][a].Occupancy)
			}
		}
	}
	view.Links = make([][]solver.Link, len(c.Links))
	for a := range c.Links {
		for b, l := range c.Links[a] {
			l.Occupancy = max(least[a], least[b])
			l.Step = l.Occupancy
			view.Links[a] = append(view.Links[a], l)
		}
	}
	r, err := solver.Solve(ctx, &view, solver.Options{Solver: "edgeshard", Objective: edgeshard.Throughput})
	if err != nil {
		return nil, err
	}
	return r.Stages, nil
}

// meshLLM divides the units over the n largest devices so that the longest stage
// is the shortest possible within memory, for the n with the least estimate: that
// stage, and for each stage the largest latency from the source.
func meshLLM(_ context.Context, c *cluster) ([]edgeshard.Stage, error) {
	order := c.largestFirst()
	least, latency := solver.Never, int64(0)
	var chosen []int
	t := newMinMax(c)
	for n := 1; n <= min(len(order), c.Units); n++ {
		d := order[n-1]
		t.add(d)
		if n > 1 {
			l := c.Link(c.Source, d)
			latency = max(latency, l.Step-l.Occupancy)
		}
		hops := int64(n)
		if n == 1 {
			hops = 0
		}
		if longest := t.best[c.Units]; longest < solver.Never && longest+hops*latency < least {
			least, chosen = longest+hops*latency, t.counts()
		}
	}
	if chosen == nil {
		return nil, lacking("the devices, by their memory, do not hold the model")
	}
	return c.stages(order[:len(chosen)], chosen), nil
}

// minMax is the table of the least longest stage: best[u] for the first u units on
// the devices added, each of which has one unit at least.
type minMax struct {
	c     *cluster
	best  []int64
	taken [][]int // of each device, how many of the first u units are its own
}

func newMinMax(c *cluster) *minMax {
	t := &minMax{c: c, best: slices.Repeat([]int64{solver.Never}, c.Units+1)}
	t.best[0] = 0
	return t
}

func (t *minMax) add(d int) {
	k := t.c.Class(d)
	best, taken := slices.Repeat([]int64{solver.Never}, t.c.Units+1), make([]int, t.c.Units+1)
	for from, before := range t.best {
		time, memory := int64(0), int64(0)
		for to := from + 1; before < solver.Never && to <= t.c.Units; to++ {
			if memory += t.c.Weight[to-1]; memory > k.Budget || k.Step[to-1] >= solver.Never {
				break
			}
			time += k.Step[to-1]
			if x := max(before, time); x < best[to] {
				best[to], taken[to] = x, to-from
			}
		}
	}
	t.best, t.taken = best, append(t.taken, taken)
}

func (t *minMax) counts() []int {
	counts := make([]int, len(t.taken))
	for i, u := len(t.taken)-1, t.c.Units; i >= 0; i-- {
		counts[i] = t.taken[i][u]
		u -= counts[i]
	}
	return counts
}

// halda minimises the sum of compute times in the order of the devices, each
// within its memory: best[u] is the least time of the first u units on the devices
// so far.
func halda(_ context.Context, c *cluster) ([]edgeshard.Stage, error) {
	devices := c.order()
	best := slices.Repeat([]int64{solver.Never}, c.Units+1)
	best[0] = 0
	choice := make([][]int, len(devices))
	for i, d := range devices {
		best, choice[i] = haldaStep(c.Problem, c.Class(d), best, i == 0)
	}
	if best[c.Units] >= solver.Never {
		return nil, lacking("the devices, in their order, do not hold the model")
	}
	counts := make([]int, len(devices))
	for i, u := len(devices)-1, c.Units; i >= 0; i-- {
		counts[i] = choice[i][u]
		u -= counts[i]
	}
	return c.stages(devices, counts), nil
}

// haldaStep gives one more device its units: after[u] is the least time of u
// units, and taken[u] how many of them are the device's.
func haldaStep(p *solver.Problem, c *solver.Class, before []int64, source bool) (after []int64, taken []int) {
	after, taken = slices.Repeat([]int64{solver.Never}, p.Units+1), make([]int, p.Units+1)
	for from, t := range before {
		if t >= solver.Never {
			continue
		}
		time, memory := t, int64(0)
		for to := from; ; to++ {
			if time < after[to] && (to > from || !source) {
				after[to], taken[to] = time, to-from
			}
			if to == p.Units {
				break
			}
			if memory += p.Weight[to]; memory > c.Budget || c.Request[to] >= solver.Never {
				break
			}
			time += c.Request[to]
		}
	}
	return after, taken
}
