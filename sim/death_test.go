package sim_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// TestDeathFails: requests running, waiting and yet to come fail when the death
// is known, and the run ends.
func TestDeathFails(t *testing.T) {
	p := fixedPlan(5, 2)
	s := simulate(t, sim.Runner{Costs: constantCosts(), Scenario: parse(t, p, "[[fault]]\ntoken=2\ndevice=\"far\"\ndo=\"kill\"\n[recovery]\ndetect=\"1us\"")}, p)
	failed := s.of(edgeshard.Failed)
	if len(failed) != 5 || len(s.of(edgeshard.Token)) >= 6 {
		t.Errorf("%d requests failed and %d tokens came, want 5 and fewer than 6", len(failed), len(s.of(edgeshard.Token)))
	}
	d := s.of(edgeshard.Detection)[0]
	if d.End-d.Start != time.Microsecond || failed[0].End != d.End || s.of(edgeshard.Down)[0].Start != d.Start {
		t.Errorf("killed %v, known %v, failed %v", d.Start, d.End, failed[0].End)
	}
	rep := edgeshard.NewReport("sim", p, s)
	if rep.Requests != 0 {
		t.Errorf("%d requests in the report, want 0", rep.Requests)
	}
}

// toNear plans everything on the source.
func toNear(_ context.Context, p *edgeshard.Plan, _ []int) (*edgeshard.Plan, error) {
	q := *p
	q.Stages = []edgeshard.Stage{{Name: "near", Device: 0, From: 0, To: 6}}
	return &q, nil
}

// TestDeathReplans: the survivor goes on where the death left off, after the time
// of detection, planning and loading, and every token comes once.
func TestDeathReplans(t *testing.T) {
	for name, c := range map[string]struct {
		recovery string
		rebuilds int
	}{
		"recompute": {"", 2}, "replica": {"replica=true", 0}, "cached": {"cached=true", 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := fixedPlan(5, 2)
			sc := parse(t, p, "[[fault]]\ntoken=2\ndevice=\"far\"\ndo=\"kill\"\n[recovery]\npolicy=\"replan\"\ndetect=\"1us\"\nplan=\"2us\"\n"+c.recovery)
			s := simulate(t, sim.Runner{Costs: constantCosts(), Scenario: sc, Replan: toNear}, p)
			tokens := make(map[[2]int]bool)
			for _, x := range s.of(edgeshard.Token) {
				tokens[[2]int{x.Request, x.Step}] = true
			}
			if len(tokens) != 15 || len(s.of(edgeshard.Token)) != 15 {
				t.Errorf("%d tokens, %d of them different, want 15", len(s.of(edgeshard.Token)), len(tokens))
			}
			if got := len(s.of(edgeshard.Rebuild)); got != c.rebuilds {
				t.Errorf("%d passes rebuild KV caches, want %d", got, c.rebuilds)
			}
			if lost := s.of(edgeshard.Lost); len(lost) == 0 {
				t.Error("nothing was lost")
			}
			for _, x := range s.of(edgeshard.Compute) {
				if d := s.of(edgeshard.Detection)[0]; x.Start > d.Start && x.Device != 0 {
					t.Errorf("the dead device computes: %+v", x)
				}
			}
		})
	}
}

// TestReplanFails: where the survivors have no plan, requests fail.
func TestReplanFails(t *testing.T) {
	p := fixedPlan(2, 2)
	sc := parse(t, p, "[[fault]]\ntoken=1\ndevice=\"far\"\ndo=\"kill\"\n[recovery]\npolicy=\"replan\"")
	none := func(context.Context, *edgeshard.Plan, []int) (*edgeshard.Plan, error) {
		return nil, errors.New("no plan")
	}
	s := simulate(t, sim.Runner{Costs: constantCosts(), Scenario: sc, Replan: none}, p)
	if n := len(s.of(edgeshard.Failed)); n != 2 {
		t.Errorf("%d requests failed, want 2", n)
	}
	if err := (&sim.Runner{Costs: constantCosts(), Scenario: sc}).Run(context.Background(), p, &spans{}); err == nil {
		t.Error("no error without a way to plan anew")
	}
}

// TestGrowPreempts: KV caches that grow position by position fill a budget that
// could not reserve them; a micro-batch is preempted and computes its caches
// again; every token comes.
func TestGrowPreempts(t *testing.T) {
	p := fixedPlan(4, 4)
	p.Workload.Tokens = 20
	kv := p.Footprint().KV(1)
	peaks := p.Footprint().Peaks(p.Stages, 2, func(int) int64 { return 0 })
	p.Topology.Devices[1].Usable = topologies.Bytes(peaks[1] - 3*2*kv) // room for 2.5 caches of the 4
	p.Topology.Devices[1].Usable += topologies.Bytes(kv)
	reserve := simulate(t, sim.Runner{Costs: constantCosts()}, p)
	if n := len(reserve.of(edgeshard.OOM)); n != 3 && n != 2 {
		t.Fatalf("%d requests given up without growing, want 2 or 3", n)
	}
	s := simulate(t, sim.Runner{Costs: constantCosts(), Scenario: parse(t, p, `kv_policy="grow"`)}, p)
	if len(s.of(edgeshard.OOM)) != 0 || len(s.of(edgeshard.Token)) != 80 {
		t.Errorf("%d given up, %d tokens, want 0, 80", len(s.of(edgeshard.OOM)), len(s.of(edgeshard.Token)))
	}
	if len(s.of(edgeshard.Preempt)) == 0 || len(s.of(edgeshard.Rebuild)) == 0 {
		t.Errorf("%d preempted, %d rebuilt, want some", len(s.of(edgeshard.Preempt)), len(s.of(edgeshard.Rebuild)))
	}
	for _, x := range s.of(edgeshard.Memory) {
		if x.Bytes > p.Spec().Budget(x.Device) {
			t.Fatalf("%+v above the budget", x)
		}
	}
}

// TestGrowGivesUp: a request that has all memory and still too little is given up.
func TestGrowGivesUp(t *testing.T) {
	p := fixedPlan(3, 3)
	p.Workload.Tokens = 20
	peaks := p.Footprint().Peaks(p.Stages, 2, func(int) int64 { return 0 })
	p.Topology.Devices[1].Usable = topologies.Bytes(peaks[1] - 3*2*p.Footprint().KV(1) + p.Footprint().KV(1))
	s := simulate(t, sim.Runner{Costs: constantCosts(), Scenario: parse(t, p, `kv_policy="grow"`)}, p)
	if n := len(s.of(edgeshard.OOM)); n != 3 {
		t.Errorf("%d given up, want 3", n)
	}
}

// TestCutReplans: a link that is cut is known after the time of detection, and the
// run goes on with a plan that does without it; where there is none its requests
// fail.
func TestCutReplans(t *testing.T) {
	fault := "[[fault]]\nat=\"12ms\"\nbetween=[\"a\",\"b\"]\ndo=\"cut\"\n[recovery]\npolicy=\"replan\"\ndetect=\"50ms\"\ncached=true\n"
	for name, around := range map[string]bool{"around": true, "no way around": false} {
		p, costs := star(t, 3)
		replan := func(_ context.Context, p *edgeshard.Plan, _ []int) (*edgeshard.Plan, error) {
			if bw := p.Topology.Link(1, 2).Bandwidth; bw > 1000 || p.Topology.Link(0, 1).Bandwidth != 1_000_000 {
				t.Errorf("planned with %s from a to b", bw)
			}
			q := *p
			if around {
				q.Stages = []edgeshard.Stage{{Name: "s", Device: 0, From: 0, To: 1}, {Name: "b", Device: 2, From: 1, To: p.Model.Config.Units()}}
			}
			return &q, nil
		}
		s := simulate(t, sim.Runner{Costs: costs, Scenario: parse(t, p, fault), Replan: replan}, p)
		known := s.of(edgeshard.Detection)
		if len(known) != 1 || known[0].Device != 2 || known[0].To != 1 || known[0].Start != 12*time.Millisecond || known[0].End != 62*time.Millisecond {
			t.Errorf("%s: detections %+v: want b to tell of a from 12 to 62 ms", name, known)
		}
		want := map[bool]int{true: 3 * p.Workload.Tokens}[around]
		if tokens, failed := len(s.of(edgeshard.Token)), len(s.of(edgeshard.Failed)); around && (tokens != want || failed != 0) || !around && failed == 0 {
			t.Errorf("%s: %d tokens and %d failures", name, tokens, failed)
		}
	}
}
