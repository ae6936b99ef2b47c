package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// equip gives a plan's devices addresses, or a profile that knows how fast they load.
func equip(p *edgeshard.Plan, profiled, remote bool, rate topologies.ByteRate) {
	for i := range p.Topology.Devices {
		d := &p.Topology.Devices[i]
		if remote {
			d.Address = d.Name + ":7077"
		}
		if profiled {
			d.Profile = "disk"
		}
	}
	p.Profiles = map[string]*edgeshard.Profile{"disk": {Load: rate}}
}

// weightsOf returns the bytes of the weights of units [from, to).
func weightsOf(p *edgeshard.Plan, from, to int) (n int64) {
	for u := from; u < to; u++ {
		n += p.Footprint().Weights(u)
	}
	return n
}

// TestPreload: weights are read from the device's own disk, or fetched first where
// the coordinator sends them, and the run begins when the last are there.
func TestPreload(t *testing.T) {
	p := realPlan(t)
	_, plain := under(t, p, "")
	near, far := weightsOf(p, 0, 9), weightsOf(p, 9, 24)
	const rate = 1e9
	read := func(n int64) time.Duration { return time.Duration(float64(n) / rate * 1e9) }
	link := p.Topology.Link(0, 1)
	fetch := time.Duration(float64(far)*8e9/float64(link.Bandwidth)) + link.Latency
	type loads map[string]time.Duration
	for name, c := range map[string]struct {
		profiled, remote bool
		want             loads
	}{
		"nothing is known":                 {false, false, loads{}},
		"own disks":                        {true, false, loads{"near": read(near), "far": read(far)}},
		"from the coordinator":             {false, true, loads{"far": fetch}},
		"from the coordinator, and loaded": {true, true, loads{"near": read(near), "far": fetch + read(far)}},
	} {
		p := realPlan(t)
		costs := must(p.Costs())
		equip(p, c.profiled, c.remote, rate)
		s := simulate(t, sim.Runner{Costs: costs}, p)
		got := loads{}
		for _, x := range s.of(edgeshard.Load) {
			got[p.Topology.Devices[x.Device].Name] = x.End - x.Start
			if x.Start > 0 || x.End > 0 || x.Bytes != map[int]int64{0: near, 1: far}[x.Device] {
				t.Errorf("%s: %+v: want it before the run, and all the weights", name, x)
			}
		}
		near := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= 1 })
		if diff := cmp.Diff(c.want, got, near); diff != "" {
			t.Errorf("%s: loads (-want +got):\n%s", name, diff)
		}
		if rep := edgeshard.NewReport("sim", p, s); rep.TTFT != plain.TTFT || rep.MakespanS != plain.MakespanS {
			t.Errorf("%s: loading changes the run", name)
		}
	}
}

// stagesOf returns a stage for each of a topology's first devices, between the cuts.
func stagesOf(t *topologies.Topology, cuts ...int) (all []edgeshard.Stage) {
	for d, from := range cuts[:len(cuts)-1] {
		all = append(all, edgeshard.Stage{Name: t.Devices[d].Name, Device: d, From: from, To: cuts[d+1]})
	}
	return all
}

// TestPeersSend: after a death the source sends what is lost, and others send at
// the same time what they have of it.
func TestPeersSend(t *testing.T) {
	devices := make([]topologies.Device, 4)
	for i, name := range []string{"s", "a", "b", "c"} {
		devices[i] = topologies.Device{Name: name, Memory: 1 << 40, FLOPS: 1, MemoryBandwidth: 1}
	}
	p, _ := star(t, 1)
	topo := must(topologies.New("star", devices, 0, func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1_000_000} }))
	p.Topology = topo
	p.Stages = stagesOf(topo, 0, 1, 3, 5, 6)
	p.Workload.Tokens = 4
	foot := p.Footprint()
	sent := func(n int64) time.Duration { return time.Duration(n * 8000) } // at 1 Mbps
	shared, alone := sent(foot.Weights(2)), sent(foot.Weights(5))
	for name, c := range map[string]struct {
		recovery string
		want     time.Duration
	}{
		"over the network": {"", max((shared+alone)/2, alone)}, // b gets 2 from s and a, and 5 from s
		"on disk":          {"cached = true", 0},
	} {
		sc := parse(t, p, "[[fault]]\nat=\"1ms\"\ndevice=\"c\"\ndo=\"kill\"\n[recovery]\npolicy=\"replan\"\ndetect=\"5ms\"\n"+c.recovery)
		s := simulate(t, sim.Runner{Costs: mbps{topo}, Scenario: sc, Replan: func(_ context.Context, p *edgeshard.Plan, _ []int) (*edgeshard.Plan, error) {
			q := *p
			q.Stages = stagesOf(topo, 0, 1, 2, 6)
			return &q, nil
		}}, p)
		var took time.Duration
		for _, x := range s.of(edgeshard.Load) {
			if took = x.End - x.Start; x.Device != 2 || x.Start != ms(6) {
				t.Errorf("%s: %+v: want a load of b when the death is known", name, x)
			}
		}
		if (took-c.want).Abs() > time.Microsecond || len(s.of(edgeshard.Token)) != 4 {
			t.Errorf("%s: the load takes %s, %d tokens: want %s and 4", name, took, len(s.of(edgeshard.Token)), c.want)
		}
	}
}
