package solver_test

import (
	"context"
	"math"
	"testing"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

func explained(t *testing.T, topology, model string, w edgeshard.Workload, o solver.Options) (edgeshard.Spec, *solver.Result, *solver.Explanation) {
	t.Helper()
	p, r, err := solver.Plan(context.Background(), job(t, topology, model, w), o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := solver.Explain(context.Background(), p.Spec(), w, r)
	if err != nil {
		t.Fatal(err)
	}
	return p.Spec(), r, e
}

// The shadow prices are those of solving for a topology changed by hand.
func TestPricesAreThoseOfResolving(t *testing.T) {
	w := edgeshard.DefaultWorkload()
	spec, r, e := explained(t, "edgeshard-testbed", "llama2-13b", w, solver.Options{})
	t.Logf("%+v", *e)
	cost := func(top *topologies.Topology) float64 {
		s := spec
		s.Topology = top
		p, err := solver.New(s, w, solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		q, err := solver.Solve(context.Background(), p, solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return float64(r.Objective()-q.Objective()) / 1e6 / float64(w.Tokens)
	}
	checked := 0
	for _, price := range e.Prices {
		for i := range spec.Topology.Devices {
			d := spec.Topology.Devices[i]
			if price.What != "memory of "+d.Name {
				continue
			}
			d.Usable += 1 << 30
			d.Memory += 1 << 30
			top, err := spec.Topology.WithDevice(i, d)
			if err != nil {
				t.Fatal(err)
			}
			if want := cost(top); math.Abs(want-price.MSPerToken) > 1e-9 {
				t.Errorf("%s: %g ms per token and GiB, solving again gives %g", price.What, price.MSPerToken, want)
			}
			checked++
		}
		for _, a := range r.Stages {
			for _, b := range r.Stages {
				if price.What != "link "+a.Name+" to "+b.Name {
					continue
				}
				l := spec.Topology.Link(a.Device, b.Device)
				l.Bandwidth += 1e6
				top, err := spec.Topology.WithLink(a.Device, b.Device, l)
				if err != nil {
					t.Fatal(err)
				}
				if want := cost(top); math.Abs(want-price.MSPerToken) > 1e-3*math.Abs(want)+1e-6 {
					t.Errorf("%s: %g ms per token and Mbps, solving again gives %g", price.What, price.MSPerToken, want)
				}
				checked++
			}
		}
	}
	if checked < 4 {
		t.Errorf("%d prices checked", checked)
	}
}

// Just before a flip the plan is as good as any, and beyond it is not.
func TestFlipsFlip(t *testing.T) {
	_, r, e := explained(t, "edgeshard-testbed", "llama2-7b", edgeshard.DefaultWorkload(), solver.Options{})
	t.Logf("%+v", *e)
	if len(e.Flips) == 0 || len(e.Unused) == 0 {
		t.Fatal("nothing explained")
	}
	for _, f := range e.Flips {
		if len(f.Stages) == len(r.Stages) {
			same := true
			for i := range f.Stages {
				same = same && f.Stages[i] == r.Stages[i]
			}
			if same {
				t.Errorf("%s × %.3f: the plan is the same", f.What, f.Factor)
			}
		}
	}
	for _, u := range e.Unused {
		if u.Possible && u.CostMS < 0 {
			t.Errorf("using %v costs %g ms", u.Devices, u.CostMS)
		}
	}
}
