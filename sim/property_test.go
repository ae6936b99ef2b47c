package sim_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// drawScenario draws a bit of everything: faults that end, so that runs do.
func drawScenario(t *rapid.T, p *edgeshard.Plan) *scenarios.Scenario {
	s := &scenarios.Scenario{Seed: rapid.Uint64().Draw(t, "scenario seed")}
	s.KV = rapid.SampledFrom([]scenarios.KVPolicy{"", scenarios.Reserve, scenarios.Grow}).Draw(t, "kv policy")
	s.PrefillChunk = rapid.IntRange(0, 4).Draw(t, "chunk")
	if rapid.Bool().Draw(t, "segment") {
		s.Segments = []scenarios.Segment{{Capacity: topologies.BitRate(rapid.Int64Range(1e8, 3e9).Draw(t, "capacity")), Devices: []string{"*"}}}
	}
	if rapid.Bool().Draw(t, "links") {
		s.Links = []scenarios.Link{{
			Between: []string{"*", "*"}, HalfDuplex: rapid.Bool().Draw(t, "half"), Loss: rapid.Float64Range(0, 0.3).Draw(t, "loss"),
			Jitter: &scenarios.Jitter{Distribution: "gamma", Mean: topologies.Duration(rapid.IntRange(0, 50).Draw(t, "jitter")), CV: 1},
		}}
	}
	if rapid.Bool().Draw(t, "devices") {
		s.Devices = []scenarios.Device{{
			Name: "*", Background: rapid.Float64Range(0, 0.9).Draw(t, "background"), Noise: &scenarios.Noise{Distribution: "lognormal", CV: 0.3},
			Thermal: &scenarios.Thermal{Ambient: 20, Limit: 20.5, Hysteresis: 0.1, Resistance: 4, Capacity: 1e-6, Throttle: 3},
		}}
	}
	drawWhatIf(t, s)
	for range rapid.IntRange(0, 4).Draw(t, "faults") {
		s.Faults = append(s.Faults, drawFault(t, p))
	}
	s.Recovery.Detect = topologies.Duration(rapid.IntRange(1, 200).Draw(t, "detect"))
	if rapid.Bool().Draw(t, "replan") {
		s.Recovery = scenarios.Recovery{
			Policy: scenarios.Replan, Detect: s.Recovery.Detect, Plan: topologies.Duration(rapid.IntRange(0, 100).Draw(t, "plan")),
			Cached: rapid.Bool().Draw(t, "cached"), Replica: rapid.Bool().Draw(t, "replica"),
		}
	}
	return s
}

func drawWhatIf(t *rapid.T, s *scenarios.Scenario) {
	if rapid.Bool().Draw(t, "compression") {
		s.Compression = &scenarios.Compression{Factor: 0.5, Encode: 1e10, Decode: 2e10}
	}
	if rapid.Bool().Draw(t, "delivery") {
		s.Delivery = &scenarios.Delivery{Shared: rapid.Float64Range(0, 1).Draw(t, "shared")}
	}
	if rapid.Bool().Draw(t, "speculative") {
		s.Speculative = &scenarios.Speculative{Draft: "demo", Tokens: rapid.IntRange(1, 5).Draw(t, "drafted"), Acceptance: rapid.Float64Range(0, 1).Draw(t, "acceptance")}
	}
	if rapid.Bool().Draw(t, "battery") {
		s.Devices = append(s.Devices, scenarios.Device{Name: "d1", Battery: 1e-12 * rapid.Float64Range(1, 1000).Draw(t, "picowatthours")})
	}
}

func drawFault(t *rapid.T, p *edgeshard.Plan) scenarios.Fault {
	at := topologies.Duration(rapid.IntRange(0, 3000).Draw(t, "at"))
	f := scenarios.Fault{At: &at, For: topologies.Duration(rapid.IntRange(1, 500).Draw(t, "for")), Factor: rapid.Float64Range(0.1, 1).Draw(t, "factor")}
	if rapid.Bool().Draw(t, "by token") {
		f.At, f.Token = nil, rapid.IntRange(1, 30).Draw(t, "token")
	}
	device := rapid.SampledFrom(p.Topology.Devices).Draw(t, "device").Name
	f.Do = rapid.SampledFrom([]scenarios.Action{scenarios.Kill, scenarios.Freeze, scenarios.Slow, scenarios.Cut, scenarios.Degrade}).Draw(t, "do")
	switch f.Do {
	case scenarios.Cut, scenarios.Degrade:
		f.Between = []string{device, "*"}
	default:
		f.Device, f.Factor = device, 1/f.Factor
	}
	if f.Do == scenarios.Kill {
		f.For = 0
	}
	return f
}

// survivors plans what is left of a plan's devices: as many stages, in turn.
func survivors(_ context.Context, p *edgeshard.Plan, lost []int) (*edgeshard.Plan, error) {
	var alive []int
	for d := range p.Topology.Devices {
		if !slices.Contains(lost, d) {
			alive = append(alive, d)
		}
	}
	q := *p
	q.Stages = []edgeshard.Stage{{Name: p.Topology.Devices[p.Topology.Source].Name, Device: p.Topology.Source, From: 0, To: 2}}
	for u := 2; u < p.Model.Config.Units(); u += 2 {
		d := alive[u%len(alive)]
		q.Stages = append(q.Stages, edgeshard.Stage{Name: p.Topology.Devices[d].Name, Device: d, From: u, To: min(u+2, p.Model.Config.Units())})
	}
	return &q, nil
}

// TestRandomScenarios: on random clusters, workloads and faults a run ends, twice
// in the same spans; every request has all its tokens, once and in order, or was
// given up; nothing does two things at once; no memory is above its budget.
func TestRandomScenarios(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, true)
		for i := range p.Topology.Devices {
			p.Topology.Devices[i].ActivePower = 20
		}
		costs := drawCosts(t, len(p.Topology.Devices), p.Model.Config.Units(), 50)
		p.Workload = drawWorkload(t)
		sc := drawScenario(t, p)
		if sc.Recovery.Policy != scenarios.Replan && sc.Speculative == nil && rapid.Bool().Draw(t, "squeeze memory") {
			squeeze(t, p)
		}
		r := sim.Runner{Costs: costs, Scenario: sc, Replan: survivors}
		s := simulate(t, r, p)
		if diff := cmp.Diff(s, simulate(t, r, p)); diff != "" {
			t.Fatalf("a second run differs:\n%s", diff)
		}
		checkTokens(t, p, s)
		checkExclusive(t, s)
		for _, x := range s.of(edgeshard.Memory) {
			if x.Bytes > p.Spec().Budget(x.Device) || x.Bytes <= 0 {
				t.Fatalf("device holds what it cannot: %+v", x)
			}
		}
	})
}

func checkTokens(t *rapid.T, p *edgeshard.Plan, s spans) {
	queued := make(map[int]bool)
	for _, x := range s.of(edgeshard.Queue) {
		if queued[x.Request] {
			t.Fatalf("request %d entered for the first time twice", x.Request)
		}
		queued[x.Request] = true
	}
	tokens, over := make(map[int]int), make(map[int]bool)
	last := make(map[edgeshard.What]time.Duration)
	for _, x := range s {
		switch x.What {
		case edgeshard.Compute, edgeshard.Token, edgeshard.Send, edgeshard.Back:
			if x.Start > x.End || x.End < last[x.What] {
				t.Fatalf("time runs back: %+v after %v", x, last[x.What])
			}
			last[x.What] = x.End
		case edgeshard.OOM, edgeshard.Failed:
			if over[x.Request] {
				t.Fatalf("request %d given up twice", x.Request)
			}
			over[x.Request] = true
		}
		if x.What == edgeshard.Token {
			if x.Step != tokens[x.Request] || over[x.Request] {
				t.Fatalf("request %d got token %d after %d tokens, given up: %v", x.Request, x.Step, tokens[x.Request], over[x.Request])
			}
			tokens[x.Request]++
		}
	}
	for r := range p.Workload.Requests {
		if (tokens[r] == p.Workload.Tokens) == over[r] {
			t.Fatalf("request %d: %d tokens of %d, given up: %v", r, tokens[r], p.Workload.Tokens, over[r])
		}
	}
}

// TestFaultsNeverHelp: with one micro-batch there is nothing to overtake, so a
// fault can only make each token later.
func TestFaultsNeverHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, true)
		costs := drawCosts(t, len(p.Topology.Devices), p.Model.Config.Units(), 50)
		p.Workload.Tokens = rapid.IntRange(1, 20).Draw(t, "tokens")
		f := drawFault(t, p)
		if f.Do == scenarios.Kill {
			f.Do, f.For = scenarios.Freeze, 50
		}
		sc := &scenarios.Scenario{Faults: []scenarios.Fault{f}}
		with := simulate(t, sim.Runner{Costs: costs, Scenario: sc}, p).of(edgeshard.Token)
		without := simulate(t, sim.Runner{Costs: costs}, p).of(edgeshard.Token)
		for i := range without {
			if with[i].End < without[i].End {
				t.Fatalf("token %d comes at %v with %+v, at %v without", i, with[i].End, f, without[i].End)
			}
		}
	})
}
