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

// A change is a topology that has a unit more of what a price is of.
type change struct {
	top   *topologies.Topology
	exact bool // a link's times are scaled for its price, and rounded
}

// changes makes the topologies with a GiB more of each device's memory, and with a
// Mbps more of each link between a plan's stages, by the names of their prices.
func changes(t *testing.T, top *topologies.Topology, stages []edgeshard.Stage) map[string]change {
	t.Helper()
	all := make(map[string]change)
	for i, d := range top.Devices {
		d.Usable += 1 << 30
		d.Memory += 1 << 30
		more, err := top.WithDevice(i, d)
		if err != nil {
			t.Fatal(err)
		}
		all["memory of "+d.Name] = change{more, true}
	}
	for _, a := range stages {
		for _, b := range stages {
			if a.Device == b.Device {
				continue
			}
			l := top.Link(a.Device, b.Device)
			l.Bandwidth += 1e6
			more, err := top.WithLink(a.Device, b.Device, l)
			if err != nil {
				t.Fatal(err)
			}
			all["link "+a.Name+" to "+b.Name] = change{more, false}
		}
	}
	return all
}

// The shadow prices are those of solving for a topology changed by hand.
func TestPricesAreThoseOfResolving(t *testing.T) {
	w := edgeshard.DefaultWorkload()
	spec, r, e := explained(t, "edgeshard-testbed", "llama2-13b", w, solver.Options{})
	t.Logf("%+v", *e)
	gain := func(top *topologies.Topology) float64 {
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
	checked, all := 0, changes(t, spec.Topology, r.Stages)
	for _, price := range e.Prices {
		c, ok := all[price.What]
		if !ok {
			continue
		}
		want, off := gain(c.top), 1e-9
		if !c.exact {
			off = 1e-3*math.Abs(want) + 1e-6
		}
		if math.Abs(want-price.MSPerToken) > off {
			t.Errorf("%s: %g ms per token and GiB or Mbps, solving again gives %g", price.What, price.MSPerToken, want)
		}
		checked++
	}
	if checked < 4 {
		t.Errorf("%d prices checked: want 4 or more", checked)
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
