package sim_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// metered gives a random topology powers and links that cost energy.
func metered(seed uint64, rng *rand.Rand) *topologies.Topology {
	t := topologies.Random(seed, 2+rng.IntN(4))
	for i := range t.Devices {
		t.Devices[i].IdlePower = topologies.Watts(rng.IntN(5))
		t.Devices[i].ActivePower = t.Devices[i].IdlePower + topologies.Watts(5+rng.IntN(100))
	}
	return must(topologies.New("metered", t.Devices, t.Source, func(from, to int) topologies.Link {
		l := t.Link(from, to)
		l.JoulesPerByte = 1e-7
		return l
	}))
}

// TestEnergyPlans: the solver's energy is the report's above idle power, and no
// plan of another objective uses less; a bound on latency is kept.
func TestEnergyPlans(t *testing.T) {
	solved := 0
	for seed := range uint64(100) {
		job, rng := randomJob(seed)
		job.Topology = metered(seed, rng)
		report := func(o solver.Options) (*edgeshard.Plan, float64, bool) {
			p, _, err := solver.Plan(context.Background(), job, o)
			if err != nil {
				return nil, 0, false
			}
			return p, 1e3 * aboveIdle(p, edgeshard.NewReport("sim", p, simulate(t, sim.Runner{}, p))), true
		}
		least, energy, ok := report(solver.Options{Objective: edgeshard.Energy})
		if !ok {
			continue
		}
		solved++
		if math.Abs(energy-least.ObjectiveMJ) > 1e-6*energy+1e-3 {
			t.Errorf("seed %d: the report has %g mJ above idle, the solver %g", seed, energy, least.ObjectiveMJ)
		}
		fast, other, _ := report(solver.Options{Objective: edgeshard.Latency, Constraints: solver.Constraints{OneVisit: true}})
		if fast == nil {
			continue
		}
		if other < energy*(1-1e-6)-1e-3 {
			t.Errorf("seed %d: the fastest plan uses %g mJ, less than the least, %g", seed, other, energy)
		}
		bound := solver.Constraints{MaxLatency: ms((fast.ObjectiveMS + least.ObjectiveMS) / 2)}
		between, some, ok := report(solver.Options{Objective: edgeshard.Energy, Constraints: bound})
		if !ok || between.ObjectiveMS > float64(bound.MaxLatency)/1e6 || some < energy*(1-1e-6)-1e-3 || some > other*(1+1e-6)+1e-3 {
			t.Errorf("seed %d: bounded by %v: %v, %g mJ between %g and %g", seed, bound.MaxLatency, between, some, energy, other)
		}
	}
	if solved < 50 {
		t.Errorf("only %d of 100 instances had a plan", solved)
	}
}

// aboveIdle is the energy of a report less what idle power takes anyway.
func aboveIdle(p *edgeshard.Plan, r *edgeshard.Report) float64 {
	e := r.EnergyJ
	for _, d := range r.Devices {
		i, _ := p.Topology.Index(d.Name)
		e -= float64(p.Topology.Devices[i].IdlePower) * r.MakespanS
	}
	return e
}
