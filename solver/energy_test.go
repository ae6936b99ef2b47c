package solver_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// joules is what a request of the plan takes above idle power, pass by pass.
func joules(t interface{ Fatal(...any) }, p *edgeshard.Plan) float64 {
	costs, err := p.Costs()
	if err != nil {
		t.Fatal(err)
	}
	var total float64
	for step := range p.Workload.Tokens {
		pass := models.Pass{Batch: 1, Tokens: 1, Past: p.Workload.PromptTokens + step - 1}
		if step == 0 {
			pass = models.Pass{Batch: 1, Tokens: p.Workload.PromptTokens}
		}
		at := p.Topology.Source
		send := func(to int, bytes int64) {
			if to != at {
				total += float64(bytes) * p.Topology.Link(at, to).JoulesPerByte
			}
			at = to
		}
		for _, s := range p.Stages {
			send(s.Device, p.Model.Config.ActivationBytes(pass))
			d := &p.Topology.Devices[at]
			for u := s.From; u < s.To; u++ {
				total += costs.Compute(at, u, pass).Seconds() * float64(d.ActivePower-d.IdlePower)
			}
		}
		send(p.Topology.Source, p.Spec().ReturnBytes(1, p.Workload.Return))
	}
	return total
}

// leastJoules tries all plans of a problem.
func leastJoules(t interface{ Fatal(...any) }, p *solver.Problem, job edgeshard.Plan) float64 {
	least := math.Inf(1)
	solver.EveryPlan(p, func(stages []edgeshard.Stage) {
		job.Stages = stages
		least = min(least, joules(t, &job))
	})
	return least
}

// drawMetered draws a topology whose devices and links take energy, some with
// little memory.
func drawMetered(t *rapid.T) *topologies.Topology {
	top := topologies.Random(rapid.Uint64Range(0, 1000).Draw(t, "topology"), rapid.IntRange(2, 4).Draw(t, "devices"))
	for i := range top.Devices {
		d := &top.Devices[i]
		d.IdlePower = topologies.Watts(rapid.IntRange(0, 5).Draw(t, "idle"))
		d.ActivePower = d.IdlePower + topologies.Watts(rapid.IntRange(1, 60).Draw(t, "active"))
		if rapid.Bool().Draw(t, "tight") {
			d.Usable = topologies.Bytes(rapid.IntRange(1, 6).Draw(t, "memory")) << 20
		}
	}
	dear := rapid.Float64Range(0, 1e-5).Draw(t, "joules per byte")
	metered, err := topologies.New("metered", top.Devices, top.Source, func(from, to int) topologies.Link {
		l := top.Link(from, to)
		l.JoulesPerByte = dear
		return l
	})
	if err != nil {
		t.Fatal(err)
	}
	return metered
}

// The least energy is that of the best of all plans, summed up from the costs
// without the solver, with revisits and without.
func TestEnergyIsBruteForce(t *testing.T) {
	config, ok := models.Builtin("demo")
	if !ok {
		t.Fatal("no demo model")
	}
	config.Layers = 3
	solved := 0
	rapid.Check(t, func(t *rapid.T) {
		w := edgeshard.DefaultWorkload()
		w.PromptTokens, w.Tokens = 4, rapid.IntRange(1, 3).Draw(t, "tokens")
		job := edgeshard.Plan{Model: edgeshard.ModelRef{Ref: "demo", Config: config}, Topology: drawMetered(t), Workload: w}
		o := solver.Options{Objective: edgeshard.Energy, Constraints: solver.Constraints{OneVisit: rapid.Bool().Draw(t, "one visit")}}
		p, err := solver.New(job.Spec(), w, o)
		if err != nil {
			t.Fatal(err)
		}
		want := leastJoules(t, p, job)
		got, _, err := solver.Plan(context.Background(), job, o)
		if none := (*solver.Infeasible)(nil); errors.As(err, &none) && math.IsInf(want, 1) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		solved++
		if !got.Solver.Proved || math.Abs(got.ObjectiveMJ-1e3*want) > 1e-6*1e3*want+1e-5 || got.Solver.LowerBoundMJ != got.ObjectiveMJ || got.Solver.LowerBound != 0 {
			t.Fatalf("%g mJ (%+v), want %g", got.ObjectiveMJ, got.Solver, 1e3*want)
		}
	})
	if solved == 0 {
		t.Error("nothing was solved")
	}
}
