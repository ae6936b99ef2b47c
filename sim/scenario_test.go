package sim_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// parse reads a scenario for the topology of a plan.
func parse(t testing.TB, p *edgeshard.Plan, text string) *scenarios.Scenario {
	t.Helper()
	return must(scenarios.Parse("scenario.toml", []byte(text), p.Topology))
}

// TestNetworkParity: links on a network of which nothing changes, in segments
// wide enough for all, do what links outside of it do. Times are such that no two
// events fall on one instant, where their order may differ.
func TestNetworkParity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, true)
		costs := scatteredCosts(rapid.Uint64().Draw(t, "seed of costs"), len(p.Topology.Devices), p.Model.Config.Units())
		p.Workload = drawWorkload(t)
		want := simulate(t, sim.Runner{Costs: costs, SlowPath: true}, p)
		sc := &scenarios.Scenario{Segments: []scenarios.Segment{{Capacity: 1 << 50, Devices: []string{"*"}}}}
		got := simulate(t, sim.Runner{Costs: costs, Scenario: sc}, p)
		if diff := cmp.Diff(times(want), times(got)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// times are the spans as a set: at one instant the order may differ.
func times(s spans) map[edgeshard.Span]int {
	set := make(map[edgeshard.Span]int)
	for _, x := range s {
		if x.What == edgeshard.Memory {
			continue // of one device in one instant, told in another order
		}
		set[x]++
	}
	return set
}

// mbps are links of a speed without latency, and devices that take no time.
type mbps struct{ *topologies.Topology }

func (mbps) Compute(int, int, models.Pass) time.Duration { return 0 }

func (mbps) Stage(int) time.Duration { return 0 }

func (mbps) Turn() edgeshard.Turn { return edgeshard.Turn{} }

func (m mbps) Transfer(from, to int, bytes int64) edgeshard.Transfer {
	l := m.Link(from, to)
	if from == to || l.Bandwidth == 0 {
		return edgeshard.Transfer{}
	}
	return edgeshard.Transfer{Occupancy: time.Duration(bytes * 8e9 / int64(l.Bandwidth)), Latency: l.Latency}
}

// star is a plan whose three micro-batches of one prompt token each meet on
// links: source → a → b → source, of 1 Mbps.
func star(t testing.TB, requests int) (*edgeshard.Plan, mbps) {
	t.Helper()
	devices := []topologies.Device{{Name: "s", Memory: 1 << 40, FLOPS: 1, MemoryBandwidth: 1}, {Name: "a", Memory: 1 << 40, FLOPS: 1, MemoryBandwidth: 1}, {Name: "b", Memory: 1 << 40, FLOPS: 1, MemoryBandwidth: 1}}
	topo := must(topologies.New("star", devices, 0, func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1_000_000} }))
	model := smallModel(4)
	model.Dim, model.Hidden = 250, 16 // an activation of one token: 1000 bytes, 8 ms at 1 Mbps
	model.Heads, model.KVHeads = 1, 1
	p := &edgeshard.Plan{Model: edgeshard.ModelRef{Ref: "small", Config: model}, Topology: topo, Workload: edgeshard.DefaultWorkload()}
	p.Stages = []edgeshard.Stage{{Name: "s", From: 0, To: 1}, {Name: "a", Device: 1, From: 1, To: 3}, {Name: "b", Device: 2, From: 3, To: 6}}
	p.Workload.Requests, p.Workload.Batch, p.Workload.PromptTokens, p.Workload.Tokens = requests, requests, 1, 1
	return p, mbps{topo}
}

func ms(n float64) time.Duration { return time.Duration(n * 1e6) }

// arrivals returns when messages into a stage came, in milliseconds.
func arrivals(s spans, stage int) (at []float64) {
	for _, x := range s.of(edgeshard.Send) {
		if x.Stage == stage {
			at = append(at, float64(x.End)/1e6)
		}
	}
	return at
}

// TestLinkConditions works out by hand when 1000-byte messages come over 1 Mbps
// links (8 ms each) under what a scenario says of them.
func TestLinkConditions(t *testing.T) {
	for name, c := range map[string]struct {
		scenario string
		first    []float64 // into stage 1
		second   []float64 // into stage 2
	}{
		"alone": {``, []float64{8, 16, 24}, []float64{16, 24, 32}},
		// Both hops share 1 Mbps: the first message is alone for 8 ms; then its second
		// hop and the next one's first hop have half each and take 16 ms.
		"one segment":  {"[[segment]]\ncapacity=\"1Mbps\"\ndevices=[\"a\"]", []float64{8, 24, 40}, []float64{24, 40, 48}},
		"wide segment": {"[[segment]]\ncapacity=\"2Mbps\"\ndevices=[\"a\"]", []float64{8, 16, 24}, []float64{16, 24, 32}},
		// 1.5 Mbps for two: 0.75 each.
		"narrow segment": {"[[segment]]\ncapacity=\"1500kbps\"\ndevices=[\"a\"]", []float64{8, 18.667, 29.333}, []float64{18.667, 29.333, 37.333}},
		"degraded":       {"[[fault]]\nat=\"0s\"\nfrom=\"s\"\nto=\"a\"\ndo=\"degrade\"\nfactor=0.5", []float64{16, 32, 48}, []float64{24, 40, 56}},
		// The second message has 4 of its 8 ms behind it when the link is cut for 100 ms.
		"cut":              {"[[fault]]\nat=\"12ms\"\nbetween=[\"s\",\"a\"]\ndo=\"cut\"\nfor=\"100ms\"", []float64{8, 116, 124}, []float64{16, 124, 132}},
		"cut and restored": {"[[fault]]\nat=\"12ms\"\nbetween=[\"s\",\"a\"]\ndo=\"cut\"\n[[fault]]\nat=\"32ms\"\nbetween=[\"s\",\"a\"]\ndo=\"recover\"", []float64{8, 36, 44}, []float64{16, 44, 52}},
		"other direction":  {"[[fault]]\nat=\"0s\"\nfrom=\"a\"\nto=\"s\"\ndo=\"cut\"", []float64{8, 16, 24}, []float64{16, 24, 32}},
		"constant jitter":  {"[[link]]\nfrom=\"s\"\nto=\"a\"\njitter={distribution=\"constant\",mean=\"3ms\"}", []float64{11, 19, 27}, []float64{19, 27, 35}},
	} {
		t.Run(name, func(t *testing.T) {
			p, costs := star(t, 3)
			s := simulate(t, sim.Runner{Costs: costs, Scenario: parse(t, p, c.scenario)}, p)
			close := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 0.001 })
			if diff := cmp.Diff(c.first, arrivals(s, 1), close); diff != "" {
				t.Errorf("into stage 1 (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.second, arrivals(s, 2), close); diff != "" {
				t.Errorf("into stage 2 (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHalfDuplex: tokens go back over the link that activations come by; in half
// duplex both have half of it.
func TestHalfDuplex(t *testing.T) {
	p := fixedPlan(2, 2)
	topo := must(topologies.New("pair", []topologies.Device{{Name: "near", Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1}, {Name: "far", Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1}}, 0,
		func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1000} }))
	p.Topology, p.Workload.PromptTokens, p.Workload.Tokens = topo, 1, 1
	s := simulate(t, sim.Runner{Costs: mbps{topo}, Scenario: parse(t, p, "[[link]]\nbetween=[\"near\",\"far\"]\nhalf_duplex=true")}, p)
	// Activations of 32 bytes take 256 ms, tokens of 4 bytes 32 ms. From 256 ms on
	// the first token and the second activations share the link: the token is
	// through at 320 ms, the activations have 224 ms left.
	backs := s.of(edgeshard.Back)
	if got, want := []time.Duration{backs[0].End, backs[1].Start}, []time.Duration{ms(320), ms(544)}; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("first token back %v, second on its way %v, want %v", got[0], got[1], want)
	}
}

// TestTraces: a link that changes its speed and latency, in absolute figures and
// in factors.
func TestTraces(t *testing.T) {
	for name, csv := range map[string]string{
		"factor":    "time_s,factor,latency_ms\n0,1,0\n0.010,0.5,1\n0.020,0,1\n0.030,1,5\n",
		"bandwidth": "time_s,bandwidth_mbps,latency_ms\n0,1,0\n0.010,0.5,1\n0.020,0,1\n0.030,1,5\n",
	} {
		p, costs := star(t, 3)
		sc := parse(t, p, "[[link]]\nfrom=\"s\"\nto=\"a\"\ntrace=\"x.csv\"")
		sc.AddTrace("x.csv", must(scenarios.ParseTrace("x.csv", strings.NewReader(csv))))
		s := simulate(t, sim.Runner{Costs: costs, Scenario: sc}, p)
		// The second message: 2 ms at full speed, 10 ms at half, 10 ms at none, 1 ms
		// at full: off the link at 31 ms, 5 ms more on the way.
		if diff := cmp.Diff([]float64{8, 36, 44}, arrivals(s, 1)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestLossDelays: with packets lost at random, the mean number of times one is
// sent is 1/(1−p), which is what a long run of messages takes.
func TestLossDelays(t *testing.T) {
	p, costs := star(t, 4000)
	sc := parse(t, p, "seed=3\n[[link]]\nfrom=\"s\"\nto=\"a\"\nloss=0.2\nretransmit=\"1ms\"")
	s := simulate(t, sim.Runner{Costs: costs, Scenario: sc}, p)
	var busy, late time.Duration
	for _, x := range s.of(edgeshard.Send) {
		if x.Stage == 1 {
			busy += x.Free - x.Start
			late += x.End - x.Free
		}
	}
	mean := float64(busy) / 4000 / 1e6
	if want := 8 / 0.8; math.Abs(mean-want) > 0.25 {
		t.Errorf("a message of one packet is on the link for %.3f ms, want about %.1f", mean, want)
	}
	// One round each of 1 ms: p/(1−p) on average, and the wait for those before it.
	if mean := float64(late) / 4000 / 1e6; mean < 0.2 || mean > 0.35 {
		t.Errorf("a message is %.3f ms late, want about 0.25", mean)
	}
}

// TestStandstill: a link that is cut for good, or has no bandwidth any more, ends
// the run with an error.
func TestStandstill(t *testing.T) {
	p, costs := star(t, 3)
	cut := parse(t, p, "[[fault]]\nat=\"12ms\"\nbetween=[\"s\",\"a\"]\ndo=\"cut\"")
	dead := parse(t, p, "[[link]]\nbetween=[\"s\",\"a\"]\ntrace=\"x.csv\"")
	trace := must(scenarios.ParseTrace("x.csv", strings.NewReader("time_s,factor\n0,0\n")))
	trace.Period = time.Second
	dead.AddTrace("x.csv", trace)
	for name, sc := range map[string]*scenarios.Scenario{"cut": cut, "dead": dead} {
		var s spans
		err := (&sim.Runner{Costs: costs, Scenario: sc}).Run(context.Background(), p, &s)
		if err == nil || !strings.Contains(err.Error(), "stands still") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestDeviceConditions: how long three stages of 5 ns each take near and far.
func TestDeviceConditions(t *testing.T) {
	for name, c := range map[string]struct {
		scenario string
		want     time.Duration // of the first token: 5 + (3+2) + 5 + (3+2) = 20 ns
	}{
		"nothing":    {"", 20},
		"background": {"[[device]]\nname=\"far\"\nbackground=0.5", 25},
		"power mode": {"[[device]]\nname=\"*\"\nspeed=0.5", 30},
		"both":       {"[[device]]\nname=\"far\"\nspeed=0.5\nbackground=0.5", 35},
		"slow":       {"[[fault]]\nat=\"12ns\"\ndevice=\"far\"\ndo=\"slow\"\nfactor=4", 29},
		"slow once":  {"[[fault]]\nat=\"12ns\"\ndevice=\"far\"\ndo=\"slow\"\nfactor=4\nfor=\"4ns\"", 23},
		"frozen":     {"[[fault]]\nat=\"12ns\"\ndevice=\"far\"\ndo=\"freeze\"\nfor=\"1ms\"", 20 + time.Millisecond},
		"noise":      {"[[device]]\nname=\"far\"\nnoise={distribution=\"constant\"}", 20},
	} {
		t.Run(name, func(t *testing.T) {
			p := fixedPlan(1, 1)
			s := simulate(t, sim.Runner{Costs: constantCosts(), Scenario: parse(t, p, c.scenario)}, p)
			if got := s.of(edgeshard.Token)[0].End; got != c.want {
				t.Errorf("first token after %v, want %v", got, c.want)
			}
		})
	}
}
