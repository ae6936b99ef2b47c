package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// tableCosts are costs drawn at random: a time of every device and unit, which
// grows with the rows and the past of a pass unless invariant, and of every pair.
type tableCosts struct {
	compute   [][]time.Duration // by device and unit
	transfer  [][]edgeshard.Transfer
	invariant bool
}

var _ edgeshard.Costs = (*tableCosts)(nil)

func (c *tableCosts) Compute(device, unit int, p models.Pass) time.Duration {
	t := c.compute[device][unit]
	if !c.invariant {
		t += t*time.Duration(p.Rows())/7 + time.Duration(device*p.Past%5)
	}
	return t
}

func (c *tableCosts) Stage(int) time.Duration { return 0 }

func (c *tableCosts) Turn() edgeshard.Turn { return edgeshard.Turn{} }

func (c *tableCosts) Transfer(from, to int, bytes int64) edgeshard.Transfer {
	if from == to {
		return edgeshard.Transfer{}
	}
	t := c.transfer[from][to]
	if !c.invariant {
		t.Occupancy += time.Duration(bytes) / 50
	}
	return t
}

// drawCosts draws times of 0 to most nanoseconds.
func drawCosts(t *rapid.T, devices, units, most int) *tableCosts {
	ns := rapid.IntRange(0, most)
	c := &tableCosts{}
	for d := range devices {
		c.compute = append(c.compute, nil)
		c.transfer = append(c.transfer, nil)
		for range units {
			c.compute[d] = append(c.compute[d], time.Duration(ns.Draw(t, "unit")))
		}
		for range devices {
			c.transfer[d] = append(c.transfer[d], edgeshard.Transfer{
				Occupancy: time.Duration(ns.Draw(t, "occupancy")), Latency: time.Duration(ns.Draw(t, "latency")),
			})
		}
	}
	return c
}

// scatteredCosts are times of milliseconds of which hardly any two sums are equal.
func scatteredCosts(seed uint64, devices, units int) *tableCosts {
	rng := rand.New(rand.NewPCG(seed, 1))
	ns := func() time.Duration { return time.Duration(1 + rng.Int64N(1e9)) }
	c := &tableCosts{}
	for d := range devices {
		c.compute, c.transfer = append(c.compute, nil), append(c.transfer, nil)
		for range units {
			c.compute[d] = append(c.compute[d], ns())
		}
		for range devices {
			c.transfer[d] = append(c.transfer[d], edgeshard.Transfer{Occupancy: ns(), Latency: ns()})
		}
	}
	return c
}

func smallModel(layers int) models.Config {
	return models.Config{
		Name: "small", Vocab: 32, Dim: 8, Hidden: 16, Layers: layers, Heads: 2, KVHeads: 1,
		Context: 4096, NormEps: 1e-5, RopeTheta: 1e4,
	}
}

// drawPlan draws a plan of random stages; without revisits a device has one at most.
func drawPlan(t *rapid.T, revisits bool) *edgeshard.Plan {
	devices := rapid.IntRange(1, 5).Draw(t, "devices")
	model := smallModel(rapid.IntRange(4, 8).Draw(t, "layers"))
	topo := &topologies.Topology{Name: "random", Devices: make([]topologies.Device, devices)}
	for i := range topo.Devices {
		topo.Devices[i] = topologies.Device{Name: fmt.Sprintf("d%d", i), Memory: 1 << 40, FLOPS: 1e13, MemoryBandwidth: 1e12}
	}
	topo.Source = rapid.IntRange(0, devices-1).Draw(t, "source")
	p := &edgeshard.Plan{Model: edgeshard.ModelRef{Ref: "small", Config: model}, Topology: topo, Workload: edgeshard.DefaultWorkload()}
	p.Stages = drawStages(t, p, revisits)
	return p
}

func drawStages(t *rapid.T, p *edgeshard.Plan, revisits bool) []edgeshard.Stage {
	devices := len(p.Topology.Devices)
	others := rapid.Permutation(indices(devices)).Draw(t, "order")
	var stages []edgeshard.Stage
	from, device := 0, p.Topology.Source
	for next := 0; ; {
		to := rapid.IntRange(from+1, p.Model.Config.Units()).Draw(t, "to")
		for !revisits && next < devices && others[next] == p.Topology.Source {
			next++
		}
		if !revisits && next == devices {
			to = p.Model.Config.Units()
		}
		stages = append(stages, edgeshard.Stage{Name: p.Topology.Devices[device].Name, Device: device, From: from, To: to})
		if to == p.Model.Config.Units() {
			return stages
		}
		from = to
		if revisits {
			device = rapid.IntRange(0, devices-1).Draw(t, "device")
		} else {
			device = others[next]
			next++
		}
	}
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// spans is an Observer that keeps everything.
type spans []edgeshard.Span

func (s *spans) Span(x edgeshard.Span)  { *s = append(*s, x) }
func (s *spans) Text(int, int, string)  {}
func (s spans) makespan() time.Duration { return s[len(s)-1].End }
func (s spans) of(w edgeshard.What) spans {
	var some spans
	for _, x := range s {
		if x.What == w {
			some = append(some, x)
		}
	}
	return some
}

type fataler interface {
	Helper()
	Fatal(...any)
}

func simulate(t fataler, r sim.Runner, p *edgeshard.Plan) spans {
	t.Helper()
	var s spans
	if err := r.Run(context.Background(), p, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// must ends the test where there is an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
