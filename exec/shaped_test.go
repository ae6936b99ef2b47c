package exec_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/scenarios/network"
	"github.com/edgeshard/edgeshard/topologies"
)

// stepsTrace is a trace of links.
const stepsTrace = "time_s,factor,latency_ms\n0,1,0\n0.05,0.3,1\n0.1,0.8,0\n0.2,0.5,2\n"

// scenario reads a scenario with a trace for a topology.
func scenario(t *testing.T, top *topologies.Topology, text, name, trace string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Parse("test", []byte(text), top)
	if err != nil {
		t.Fatal(err)
	}
	points, err := scenarios.ParseTrace(name, strings.NewReader(trace))
	if err != nil {
		t.Fatal(err)
	}
	sc.AddTrace(name, points)
	return sc
}

// A held is a message: what was measured of it, and what the model says.
type held struct {
	edgeshard.Span
	offered time.Duration // when the stage before it was done
	model   network.Passage
}

// heldMessages returns the messages of a run, with their offers, in the order of these.
func heldMessages(p *edgeshard.Plan, rec *recording) []*held {
	type key struct{ batch, step, stage int }
	done := make(map[key]time.Duration)
	for _, s := range rec.whats(edgeshard.Compute) {
		done[key{s.MicroBatch, s.Step, s.Stage}] = s.End
	}
	var all []*held
	for _, s := range append(rec.whats(edgeshard.Send), rec.whats(edgeshard.Back)...) {
		stage := s.Stage
		if s.What == edgeshard.Back {
			stage = len(p.Stages)
		}
		all = append(all, &held{Span: s, offered: done[key{s.MicroBatch, s.Step, stage - 1}]})
	}
	slices.SortFunc(all, func(a, b *held) int {
		return cmp.Or(cmp.Compare(a.offered, b.offered), cmp.Compare(a.Start, b.Start)) // in the order of their link
	})
	return all
}

// model sends the messages, when they were offered, over the scenario's network
// in virtual time.
func model(t *testing.T, p *edgeshard.Plan, sc *scenarios.Scenario, all []*held) {
	t.Helper()
	top := p.Topology
	n, err := network.New(top, sc, 0)
	if err != nil {
		t.Fatal(err)
	}
	faults := make([]*scenarios.Fault, len(sc.Faults)) // from the beginning on
	for i := range faults {
		faults[i] = &sc.Faults[i]
	}
	note := func(left []network.Passage) {
		for _, l := range left {
			all[l.ID].model = l
		}
	}
	for i, m := range all {
		port, err := n.Open(m.Device, m.To)
		if err != nil {
			t.Fatal(err)
		}
		l := top.Link(m.Device, m.To)
		note(n.Advance(m.offered))
		n.SetFactors(func(p *network.Port) float64 { return scenarios.Bandwidth(faults, top, p.From, p.To) }, m.offered)
		occupancy := time.Duration(float64(m.Bytes) * 8e9 / float64(l.Bandwidth))
		n.Send(port, network.Message{ID: int64(i), Bytes: m.Bytes, Occupancy: occupancy, Latency: l.Latency}, m.offered)
	}
	note(n.Advance(network.Never - 1))
}

// TestScenarioLinks: links that are shared, jitter, follow a trace, lose packets or
// are degraded
// carry messages as the simulator's network does that is given the same ones.
func TestScenarioLinks(t *testing.T) {
	top := devices(t, 3)
	link := topologies.Link{Bandwidth: 2e7, Latency: 2 * time.Millisecond}
	top, err := topologies.New("cell", top.Devices, 0, func(int, int) topologies.Link { return link })
	if err != nil {
		t.Fatal(err)
	}
	w := demoWorkload()
	w.Tokens, w.Requests, w.Batch, w.IgnoreEOS = 12, 6, 6, true
	names := []string{top.Devices[0].Name, top.Devices[1].Name, top.Devices[2].Name}
	for name, text := range map[string]string{
		"segment":     "[[segment]]\ncapacity = \"8Mbps\"\ndevices = [\"*\"]\n",
		"half duplex": "[[link]]\nbetween = [\"*\", \"*\"]\nhalf_duplex = true\n",
		"trace":       "[[link]]\nbetween = [\"" + names[0] + "\", \"*\"]\ntrace = \"steps\"\n",
		"degraded":    "[[fault]]\nat = \"0s\"\nbetween = [\"*\", \"*\"]\ndo = \"degrade\"\nfactor = 0.2\n",
		"everything":  "seed = 5\n[[segment]]\ncapacity = \"8Mbps\"\ndevices = [\"*\"]\ntrace = \"steps\"\n[[link]]\nbetween = [\"*\", \"*\"]\nloss = 0.1\njitter = { distribution = \"lognormal\", mean = \"2ms\", cv = 0.5 }\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, "demo", top, w, cut{0, 4}, cut{1, 8}, cut{2, 10})
			exec.Virtual(t, func(t *testing.T) {
				r := inMemory()
				r.Emulate, r.Scenario = true, scenario(t, top, text, "steps", stepsTrace)
				all := heldMessages(p, run(t, r, p))
				model(t, p, r.Scenario, all)
				checkHeld(t, all)
			})
		})
	}
}

// checkHeld compares messages with their model.
func checkHeld(t *testing.T, all []*held) {
	t.Helper()
	for _, m := range all {
		if m.Free != m.model.Free || m.End != m.model.Arrival {
			t.Errorf("%+v leaves at %s and arrives at %s: want %s and %s", m.Span, m.Free, m.End, m.model.Free, m.model.Arrival)
		}
	}
}

// TestScenarioDevices: a device with other work to do computes slower, and along
// a trace as the trace says.
func TestScenarioDevices(t *testing.T) {
	top := devices(t, 2)
	w := demoWorkload()
	w.Tokens, w.IgnoreEOS = 10, true
	p := plan(t, "demo", top, w, cut{0, 5}, cut{1, 10})
	exec.Virtual(t, func(t *testing.T) {
		r := inMemory()
		r.Emulate = true
		r.Scenario = scenario(t, top, "[[device]]\nname = \"d1\"\nbackground = 0.95\ntrace = \"later\"\n", "later", "time_s,factor\n0,1\n0.2,0.2\n")
		for _, s := range run(t, r, p).whats(edgeshard.Compute) {
			want := exec.VirtualPass
			if s.Device == 1 {
				want *= 20
			}
			if s.Device == 1 && s.Start+exec.VirtualPass >= 200*time.Millisecond { // the pace at its end counts
				want *= 5
			}
			if took := s.End - s.Start; (took - want).Abs() > time.Microsecond {
				t.Errorf("a pass takes device %d %s at %s: want %s", s.Device, took, s.Start, want)
			}
		}
	})
}
