package sim_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// randomJob is a model, topology and one request, all drawn from a seed.
func randomJob(seed uint64) (edgeshard.Plan, *rand.Rand) {
	rng := rand.New(rand.NewPCG(seed, 7))
	topo := topologies.Random(seed, 2+rng.IntN(7))
	model := models.Config{
		Name: "random", Vocab: 32000, Dim: 2048, Hidden: 5632, Layers: 4 + rng.IntN(20), Heads: 16, KVHeads: 4 << rng.IntN(3),
		Context: 2048, NormEps: 1e-5, RopeTheta: 1e4,
	}
	w := edgeshard.DefaultWorkload()
	w.PromptTokens, w.Tokens = 1+rng.IntN(200), 1+rng.IntN(60)
	if rng.IntN(4) == 0 {
		w.Return = edgeshard.ReturnLogits
	}
	p := edgeshard.Plan{
		Model:    edgeshard.ModelRef{Ref: "random", Precision: models.Precisions()[rng.IntN(5)], Config: model},
		Topology: topo, Workload: w, Objective: edgeshard.Latency,
	}
	if seed%3 == 0 {
		profile(&p, rand.New(rand.NewPCG(seed, 8)))
	}
	return p, rng
}

// profile gives half of the devices, and the source, a profile whose software
// takes time wherever it can.
func profile(p *edgeshard.Plan, rng *rand.Rand) {
	ns := func(most int) time.Duration { return time.Duration(rng.IntN(most)) }
	units := p.Model.Config.Units()
	q := &edgeshard.Profile{Name: "drawn", Units: units, Software: edgeshard.Software{
		Hop: ns(1e6), HopByte: rng.Float64() * 3, Stage: ns(1e5), Enter: ns(1e5), Token: ns(1e5),
	}}
	for _, tokens := range []int{1, 8, 64} {
		for _, past := range []int{0, 50} {
			q.Points = append(q.Points, edgeshard.Point{To: units, Batch: 1, Tokens: tokens, Past: past, MS: rng.Float64() * float64(tokens)})
		}
	}
	p.Profiles = map[string]*edgeshard.Profile{q.Name: q}
	for i := range p.Topology.Devices {
		if d := &p.Topology.Devices[i]; i == p.Topology.Source || rng.IntN(2) == 0 {
			d.Profile, d.Slowdown = q.Name, 1+3*rng.Float64()
		}
	}
}

// cut draws stages without regard to memory or speed, revisits among them.
func cut(p *edgeshard.Plan, rng *rand.Rand) {
	units, device := p.Model.Config.Units(), p.Topology.Source
	for from := 0; from < units; {
		to := min(from+1+rng.IntN(units/2), units)
		p.Stages = append(p.Stages, edgeshard.Stage{Name: p.Topology.Devices[device].Name, Device: device, From: from, To: to})
		from, device = to, rng.IntN(len(p.Topology.Devices))
	}
	for i := range p.Topology.Devices {
		p.Topology.Devices[i].Memory, p.Topology.Devices[i].Usable = 1<<50, 1<<50
	}
}

// TestParity: on 1,000 random pairs of topology and plan the simulated makespan
// of one request is the solver's objective, or the sum of the passes' loops, to
// the nanosecond, and the peak of every device's memory the footprint.
func TestParity(t *testing.T) {
	solved := 0
	for seed := range uint64(1000) {
		p, rng := randomJob(seed)
		var want time.Duration
		if seed%2 == 0 {
			plan, r, err := solver.Plan(context.Background(), p, solver.Options{Solver: solver.Names()[rng.IntN(2)]})
			var infeasible *solver.Infeasible
			if errors.As(err, &infeasible) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			p, want = *plan, time.Duration(r.Objective())
			solved++
		} else {
			cut(&p, rng)
			want = loops(t, &p)
		}
		s := simulate(t, sim.Runner{}, &p)
		if got := s.of(edgeshard.Token).makespan(); got != want {
			t.Errorf("seed %d: makespan %d ns, want %d", seed, got, want)
		}
		checkPeaks(t, &p, s)
	}
	if solved < 250 {
		t.Errorf("only %d of the pairs were the solver's, want 250 or more", solved)
	}
}

func loops(t *testing.T, p *edgeshard.Plan) time.Duration {
	costs, err := p.Costs()
	if err != nil {
		t.Fatal(err)
	}
	w, spec := p.Workload, p.Spec()
	total := spec.Loop(costs, p.Stages, models.Pass{Batch: 1, Tokens: w.PromptTokens}, w.Return).Time + costs.Turn().First()
	for past := w.PromptTokens; past < w.Positions()-1; past++ {
		total += spec.Loop(costs, p.Stages, models.Pass{Batch: 1, Tokens: 1, Past: past}, w.Return).Time + costs.Turn().Next(&w)
	}
	return total
}

func checkPeaks(t *testing.T, p *edgeshard.Plan, s spans) {
	t.Helper()
	got := make([]int64, len(p.Topology.Devices))
	for _, x := range s.of(edgeshard.Memory) {
		got[x.Device] = max(got[x.Device], x.Bytes)
	}
	want := p.Footprint().Peaks(p.Stages, len(got), p.Spec().Overhead)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("memory peaks (-footprint +simulated):\n%s", diff)
	}
}
