package exec_test

import (
	"slices"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// TestShapedLinks: messages take at least what the topology's links take, one
// after the other.
func TestShapedLinks(t *testing.T) {
	top := devices(t, 2)
	link := topologies.Link{Bandwidth: 1e7, Latency: 2 * time.Millisecond}
	top, err := topologies.New("slow", top.Devices, 0, func(int, int) topologies.Link { return link })
	if err != nil {
		t.Fatal(err)
	}
	w := demoWorkload()
	w.Tokens, w.Batch, w.IgnoreEOS = 4, 4, true
	r := inMemory()
	r.Emulate = true
	rec := run(t, r, plan(t, "demo", top, w, cut{0, 4}, cut{1, 10}))
	free := make(map[int]time.Duration)
	for _, s := range append(rec.whats(edgeshard.Send), rec.whats(edgeshard.Back)...) {
		occupied := time.Duration(s.Bytes * 8 * 100) // at 10 Mbps
		if s.Free-s.Start != occupied {
			t.Errorf("%+v occupies the link for %s: want %s", s, s.Free-s.Start, occupied)
		}
		// The two ends are by different clocks.
		if slack := time.Millisecond; s.End < s.Free+link.Latency-slack {
			t.Errorf("%+v arrives %s after it left: want %s", s, s.End-s.Free, link.Latency)
		}
		if slack := time.Millisecond; s.Start < free[s.Device]-slack {
			t.Errorf("%+v starts before the link is free", s)
		}
		free[s.Device] = s.Free
	}
}

// TestSlowdown: a slowed device takes its factor longer, and the others do not.
func TestSlowdown(t *testing.T) {
	top := devices(t, 2)
	top.Devices[1].Slowdown = 30
	w := demoWorkload()
	w.Tokens, w.IgnoreEOS = 8, true
	p := plan(t, "demo", top, w, cut{0, 5}, cut{1, 9}, cut{0, 10})
	// Typical times, since a busy machine holds some of the computations up.
	busy := func(emulate bool) (typical [2]time.Duration) {
		r := &exec.Runner{Options: exec.Options{Threads: 1, Local: processes(t), Emulate: emulate}}
		var times [2][]time.Duration
		for _, s := range run(t, r, p).whats(edgeshard.Compute) {
			if s.Stage < 2 {
				times[s.Device] = append(times[s.Device], s.End-s.Start)
			}
		}
		for d := range times {
			slices.Sort(times[d])
			typical[d] = times[d][len(times[d])/2]
		}
		return typical
	}
	// Both have some four blocks, so their times differ by little but the factor.
	if got := busy(true); got[1] < 10*got[0] {
		t.Errorf("computing took %s and, slowed 30 times, %s", got[0], got[1])
	}
	if got := busy(false); got[1] > 10*got[0] {
		t.Errorf("computing took %s and %s though nothing is slowed", got[0], got[1])
	}
}

// A measurement has a point of every kind of unit and pass, and times above 0.
func TestMeasure(t *testing.T) {
	m := exec.Measurement{Model: "demo", Batches: []int{1, 3}, Prompts: []int{4, 12}, Tokens: 20}
	for name, r := range map[string]*exec.Runner{
		"in memory": inMemory(),
		"processes": {Options: exec.Options{Threads: 1, Local: processes(t)}},
	} {
		p, err := r.Measure(t.Context(), m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// Prefill and two stretches of decode, less the very first prefill.
		if want := 3 * 2 * (2*3 - 1); len(p.Points) != want {
			t.Errorf("%s: %d points, want %d", name, len(p.Points), want)
		}
		if p.Units != 10 || p.Hop <= 0 || p.Alone <= 0 || p.Enter <= 0 || p.Load <= 0 || p.Precision != "f16" || (p.Overhead > 0) != (name == "processes") {
			t.Errorf("%s: profile %+v", name, p)
		}
		for _, q := range p.Points {
			if q.MS <= 0 || q.Tokens > 1 && q.Past > 0 || len(q.Raw) != 1 {
				t.Errorf("%s: point %+v", name, q)
			}
		}
	}
}

// A model without weights, and too large to load, is measured by a few blocks.
func TestMeasureSynthetic(t *testing.T) {
	m := exec.Measurement{Model: "tinyllama-1.1b", Precision: models.Q4_0, Batches: []int{1}, Prompts: []int{2, 2}, Tokens: 2}
	p, err := inMemory().Measure(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if p.Units != 24 || p.Precision != "q4_0" || p.Provenance != "made-up weights, 9 blocks for 22" {
		t.Errorf("profile %+v", p)
	}
}
