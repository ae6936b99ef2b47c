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

// scenario reads a scenario with a trace "steps" for a topology.
func scenario(t *testing.T, top *topologies.Topology, text string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Parse("test", []byte(text), top)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := scenarios.ParseTrace("steps", strings.NewReader("time_s,factor,latency_ms\n0,1,0\n0.05,0.3,1\n0.1,0.8,0\n0.2,0.5,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	sc.AddTrace("steps", steps)
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
	slices.SortFunc(all, func(a, b *held) int { return cmp.Compare(a.offered, b.offered) })
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
			r := &exec.Runner{Options: exec.Options{Threads: 1, Local: processes(t), Emulate: true, Scenario: scenario(t, top, text)}}
			all := heldMessages(p, run(t, r, p))
			model(t, p, r.Scenario, all)
			checkHeld(t, all)
		})
	}
}

// checkHeld compares messages with their model. When they leave is reckoned, so
// most are as the model says; the machine's load may reorder what was offered
// together. When they are there includes the real transport.
func checkHeld(t *testing.T, all []*held) {
	t.Helper()
	var free, arrival []time.Duration
	early := 0
	for _, m := range all {
		free = append(free, (m.Free - m.model.Free).Abs())
		arrival = append(arrival, m.End-m.model.Arrival)
		if m.End < m.model.Arrival-time.Millisecond {
			early++
		}
	}
	slices.Sort(free)
	slices.Sort(arrival)
	n := len(all)
	t.Logf("%d messages: off by %s in leaving (median; p90 %s, max %s), late by %s (p90 %s, max %s)",
		n, free[n/2], free[n*9/10], free[n-1], arrival[n/2], arrival[n*9/10], arrival[n-1])
	if most := 300 * time.Microsecond; free[n/2] > most {
		t.Errorf("messages leave %s off the model: want at most %s", free[n/2], most)
	}
	if early > n/10 {
		t.Errorf("%d of %d messages arrive before the model says", early, n)
	}
}

// TestScenarioDevices: a device with other work to do computes slower, and along
// a trace as the trace says.
func TestScenarioDevices(t *testing.T) {
	top := devices(t, 2)
	w := demoWorkload()
	w.Tokens, w.IgnoreEOS = 40, true
	p := plan(t, "demo", top, w, cut{0, 5}, cut{1, 10})
	r := &exec.Runner{Options: exec.Options{Threads: 1, Local: processes(t), Emulate: true}} // charged processor time alone
	r.Scenario = scenario(t, top, "[[device]]\nname = \"d1\"\nbackground = 0.95\ntrace = \"later\"\n")
	later, err := scenarios.ParseTrace("later", strings.NewReader("time_s,factor\n0,1\n0.2,0.2\n"))
	if err != nil {
		t.Fatal(err)
	}
	r.Scenario.AddTrace("later", later)
	sums := make(map[[2]bool][]float64) // by device d1, and in the time when the trace slows it
	for _, s := range run(t, r, p).whats(edgeshard.Compute) {
		if s.Step > 0 {
			key := [2]bool{s.Device == 1, s.Start > 210*time.Millisecond}
			sums[key] = append(sums[key], float64(s.End-s.Start))
		}
	}
	middle := func(d1, slow bool) float64 {
		v := sums[[2]bool{d1, slow}]
		slices.Sort(v)
		if len(v) == 0 {
			t.Fatal("no passes")
		}
		return v[len(v)/2]
	}
	if alone, busy := middle(false, false), middle(true, false); busy < 8*alone {
		t.Errorf("a pass takes %v ns, and %v ns with 95 %% of the device taken", alone, busy)
	}
	if full, fifth := middle(true, false), middle(true, true); fifth < 2.5*full {
		t.Errorf("a pass takes %v ns, and %v ns at a fifth of the speed", full, fifth)
	}
}
