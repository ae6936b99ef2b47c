package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/golden"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

func fixedPlan(requests, batch int) *edgeshard.Plan {
	p := &edgeshard.Plan{
		Model: edgeshard.ModelRef{Ref: "small", Config: smallModel(4)},
		Topology: &topologies.Topology{Name: "two", Devices: []topologies.Device{
			{Name: "near", Memory: 1 << 30}, {Name: "far", Memory: 1 << 30},
		}},
		Workload: edgeshard.DefaultWorkload(),
		Stages:   []edgeshard.Stage{{Name: "near", Device: 0, From: 0, To: 3}, {Name: "far", Device: 1, From: 3, To: 6}},
	}
	p.Workload.Requests, p.Workload.Batch = requests, batch
	p.Workload.PromptTokens, p.Workload.Tokens = 2, 3
	return p
}

func constantCosts() *tableCosts {
	c := &tableCosts{invariant: true}
	for range 2 {
		c.compute = append(c.compute, []time.Duration{1, 2, 2, 2, 2, 1})
		c.transfer = append(c.transfer, []edgeshard.Transfer{{Occupancy: 3, Latency: 2}, {Occupancy: 3, Latency: 2}})
	}
	return c
}

func TestWeightsThatDoNotFit(t *testing.T) {
	p := fixedPlan(2, 1)
	p.Topology.Devices[1].Memory = 1000
	var s spans
	err := (&sim.Runner{Costs: constantCosts()}).Run(context.Background(), p, &s)
	var oom *edgeshard.OutOfMemory
	if !errors.As(err, &oom) || oom.Device != "far" || oom.Budget != 1000 {
		t.Fatalf("error %v, want far's *OutOfMemory", err)
	}
	want := spans{{What: edgeshard.OOM, Request: -1, Stage: -1, Device: 1, To: -1, Bytes: oom.Missing()}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
}

// TestRequestThatDoesNotFit: of a batch of three the budget holds two; the third
// is given up when it is admitted, the others and the next batch go on.
func TestRequestThatDoesNotFit(t *testing.T) {
	p := fixedPlan(6, 3)
	peaks := p.Footprint().Peaks(p.Stages, 2, func(int) int64 { return 0 })
	p.Topology.Devices[1].Usable = topologies.Bytes(peaks[1] - 1)
	s := simulate(t, sim.Runner{Costs: constantCosts()}, p)
	var got []int
	for _, x := range s.of(edgeshard.OOM) {
		got = append(got, x.Request)
		if x.Bytes != 1 || x.Device != 1 {
			t.Errorf("OOM of %d bytes on device %d, want 1 on 1", x.Bytes, x.Device)
		}
	}
	if diff := cmp.Diff([]int{2, 5}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(s.of(edgeshard.Token)); n != 4*3 {
		t.Errorf("%d tokens, want 12", n)
	}
}

// TestNothingFits: every request is given up, and the run ends.
func TestNothingFits(t *testing.T) {
	p := fixedPlan(1000, 1)
	p.Topology.Devices[1].Usable = topologies.Bytes(p.Footprint().Peaks(p.Stages, 2, func(int) int64 { return 0 })[1] - 1)
	s := simulate(t, sim.Runner{Costs: constantCosts()}, p)
	if len(s.of(edgeshard.OOM)) != 1000 || len(s.of(edgeshard.Token)) != 0 {
		t.Errorf("%d given up, %d tokens: want 1000, 0", len(s.of(edgeshard.OOM)), len(s.of(edgeshard.Token)))
	}
}

// stopper cancels a run at its first span.
type stopper struct {
	spans
	cancel context.CancelFunc
}

func (s *stopper) Span(x edgeshard.Span) { s.spans.Span(x); s.cancel() }

func TestCancel(t *testing.T) {
	for _, slow := range []bool{false, true} {
		p := fixedPlan(1_000_000, 1)
		ctx, cancel := context.WithCancel(context.Background())
		s := &stopper{cancel: cancel}
		err := (&sim.Runner{Costs: constantCosts(), SlowPath: slow}).Run(ctx, p, s)
		if !errors.Is(err, context.Canceled) || len(s.spans) > 100_000 {
			t.Errorf("slow path %v: error %v after %d spans, want context canceled soon", slow, err, len(s.spans))
		}
	}
}

func TestRunsWithoutEnd(t *testing.T) {
	p := fixedPlan(100_000_000, 1)
	p.Workload.Tokens = 1000
	var s spans
	err := (&sim.Runner{Costs: constantCosts()}).Run(context.Background(), p, &s)
	if err == nil || !strings.Contains(err.Error(), "1e+11 passes: more than the limit of 1000000000") {
		t.Errorf("100 G passes: error %v", err)
	}
	p = fixedPlan(1, 1)
	c := constantCosts()
	c.transfer[0][1].Occupancy = math.MaxInt64 / 4
	if err = (&sim.Runner{Costs: c}).Run(context.Background(), p, &s); err == nil || !strings.Contains(err.Error(), "50 years") {
		t.Errorf("a message of 73 years: error %v", err)
	}
}

// TestGolden is a small trace, to be read by eye.
func TestGolden(t *testing.T) {
	for name, schedule := range map[string]edgeshard.Schedule{
		"sequential": edgeshard.Sequential, "bubbles": edgeshard.Bubbles, "no-bubbles": edgeshard.NoBubbles,
	} {
		t.Run(name, func(t *testing.T) {
			p := fixedPlan(3, 3)
			p.Workload.Schedule = schedule
			golden.Match(t, name+".jsonl", lines(simulate(t, sim.Runner{Costs: constantCosts()}, p)))
		})
	}
}

func lines(s spans) []byte {
	var out []byte
	for _, x := range s {
		b, err := json.Marshal(x)
		if err != nil {
			panic(err)
		}
		out = append(append(out, b...), '\n')
	}
	return out
}
