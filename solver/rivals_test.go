package solver_test

import (
	"context"
	"errors"
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// randomJob is Llama2-7B on a seeded random cluster of 3 to 15 devices, with
// memory from too little to plenty.
func randomJob(t testing.TB, seed uint64, w edgeshard.Workload) edgeshard.Plan {
	t.Helper()
	config, ok := models.Builtin("llama2-7b")
	if !ok {
		t.Fatal("no llama2-7b")
	}
	top := topologies.Random(seed, 3+int(seed%13))
	var need, have int64
	for u := range config.Units() {
		need += config.WeightBytes(u, models.F32)
	}
	for i := range top.Devices {
		have += int64(top.Devices[i].Usable)
	}
	tightness := []float64{1.1, 1.25, 1.5, 2.5, 5}[seed/13%5]
	for i := range top.Devices {
		d := &top.Devices[i]
		d.Usable = topologies.Bytes(float64(d.Usable) * tightness * float64(need) / float64(have))
		d.Memory = max(d.Memory, d.Usable)
	}
	return edgeshard.Plan{Model: edgeshard.ModelRef{Ref: "llama2-7b", Config: config}, Topology: top, Workload: w}
}

// A duel is how two solvers did on a set of instances.
type duel struct {
	open, solvable, missed, worse, unproved int
	gaps                                    []float64 // of the worse plans, over the best
	took                                    [2][]time.Duration
}

func (d *duel) run(t *testing.T, seed uint64, j edgeshard.Plan, o solver.Options) (exact, paper *edgeshard.Plan) {
	o.Deadline = *patience
	exact, r, err := solver.Plan(context.Background(), j, o)
	var none *solver.Infeasible
	if errors.As(err, &none) {
		o.Solver = "edgeshard"
		if _, _, err := solver.Plan(context.Background(), j, o); err == nil {
			t.Errorf("seed %d: edgeshard has a plan where exact has none", seed)
		}
		return nil, nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		d.open++
		return nil, nil
	}
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	d.solvable++
	d.took[0] = append(d.took[0], r.Elapsed)
	if !r.Proved {
		d.unproved++
	}
	o.Solver = "edgeshard"
	paper, q, err := solver.Plan(context.Background(), j, o)
	if err != nil {
		d.missed++
		return exact, nil
	}
	d.took[1] = append(d.took[1], q.Elapsed)
	switch {
	case q.Objective() < r.Objective():
		t.Errorf("seed %d: edgeshard's plan takes %d ns, the exact one %d", seed, q.Objective(), r.Objective())
	case q.Objective() > r.Objective():
		d.worse++
		d.gaps = append(d.gaps, float64(q.Objective())/float64(r.Objective())-1)
	}
	return exact, paper
}

func (d *duel) report(t *testing.T, name string) {
	slices.Sort(d.gaps)
	slices.Sort(d.took[0])
	slices.Sort(d.took[1])
	if len(d.gaps) == 0 {
		d.gaps = []float64{0}
	}
	t.Logf("%s: of %d solvable, edgeshard finds nothing in %d and a worse plan in %d (median %.1f %%, most %.1f %%); exact leaves %d unproved and %d undecided; median time exact %v (most %v), edgeshard %v (most %v)",
		name, d.solvable, d.missed, d.worse, 100*d.gaps[len(d.gaps)/2], 100*d.gaps[len(d.gaps)-1], d.unproved, d.open,
		d.took[0][len(d.took[0])/2], d.took[0][len(d.took[0])-1], d.took[1][len(d.took[1])/2], d.took[1][len(d.took[1])-1])
}

var (
	instances = flag.Uint64("instances", 26, "random clusters to compare solvers on")
	patience  = flag.Duration("patience", 500*time.Millisecond, "how long the exact solver may take on each")
)

// The exact solver is never worse than the paper's latency algorithm.
func TestAgainstPaperLatency(t *testing.T) {
	var d duel
	for seed := range *instances {
		d.run(t, seed, randomJob(t, seed, edgeshard.DefaultWorkload()), solver.Options{})
	}
	d.report(t, "latency")
	if d.worse+d.missed == 0 {
		t.Error("no instance tells the two apart")
	}
}

// Nor than its throughput algorithm, whose objective leaves the loop out: by the
// period of a finite batch, and by the simulator's count of tokens.
func TestAgainstPaperThroughput(t *testing.T) {
	var d duel
	var ratios []float64
	for seed := range *instances {
		j := randomJob(t, seed, wide())
		if len(j.Topology.Devices) > 8 {
			continue // 2^M states
		}
		exact, paper := d.run(t, seed, j, solver.Options{Objective: edgeshard.Throughput})
		if paper != nil {
			ratios = append(ratios, simulated(t, exact)/simulated(t, paper))
		}
	}
	d.report(t, "throughput")
	slices.Sort(ratios)
	t.Logf("simulated tokens/s, exact over edgeshard: median %.2f, most %.2f, least %.2f", ratios[len(ratios)/2], ratios[len(ratios)-1], ratios[0])
}

// simulated returns the tokens per second of a simulated run.
func simulated(t *testing.T, p *edgeshard.Plan) float64 {
	t.Helper()
	rec := edgeshard.NewRecorder(p)
	if err := new(sim.Runner).Run(context.Background(), p, rec); err != nil {
		t.Fatal(err)
	}
	return rec.Report("sim").Throughput
}
