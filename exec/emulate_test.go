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

// TestShapedLinks: messages take what the topology's links take, one after the
// other.
func TestShapedLinks(t *testing.T) {
	top := devices(t, 2)
	link := topologies.Link{Bandwidth: 1e7, Latency: 2 * time.Millisecond}
	top, err := topologies.New("slow", top.Devices, 0, func(int, int) topologies.Link { return link })
	if err != nil {
		t.Fatal(err)
	}
	w := demoWorkload()
	w.Tokens, w.Batch, w.IgnoreEOS = 4, 4, true
	exec.Virtual(t, func(t *testing.T) {
		r := inMemory()
		r.Emulate = true
		rec := run(t, r, plan(t, "demo", top, w, cut{0, 4}, cut{1, 10}))
		free := make(map[int]time.Duration)
		for _, s := range append(rec.whats(edgeshard.Send), rec.whats(edgeshard.Back)...) {
			occupied := time.Duration(s.Bytes * 8 * 100) // at 10 Mbps
			if s.Free-s.Start != occupied {
				t.Errorf("%+v occupies the link for %s: want %s", s, s.Free-s.Start, occupied)
			}
			if s.End != s.Free+link.Latency {
				t.Errorf("%+v arrives %s after it left: want %s", s, s.End-s.Free, link.Latency)
			}
			if s.Start < free[s.Device] {
				t.Errorf("%+v starts before the link is free", s)
			}
			free[s.Device] = s.Free
		}
	})
}

// passTimes returns what each pass took each device that has a stage.
func passTimes(rec *recording) map[int][]time.Duration {
	times := make(map[int][]time.Duration)
	for _, s := range rec.whats(edgeshard.Compute) {
		times[s.Device] = append(times[s.Device], s.End-s.Start)
	}
	return times
}

// TestSlowdown: a slowed device takes its factor longer, and the others do not.
func TestSlowdown(t *testing.T) {
	top := devices(t, 2)
	top.Devices[1].Slowdown = 30
	w := demoWorkload()
	w.Tokens, w.IgnoreEOS = 8, true
	p := plan(t, "demo", top, w, cut{0, 5}, cut{1, 9}, cut{0, 10})
	for _, emulate := range []bool{true, false} {
		want := map[int]time.Duration{0: exec.VirtualPass, 1: exec.VirtualPass}
		if emulate {
			want[1] *= 30
		}
		exec.Virtual(t, func(t *testing.T) {
			r := inMemory()
			r.Emulate = emulate
			for device, times := range passTimes(run(t, r, p)) {
				if slices.Min(times) != want[device] || slices.Max(times) != want[device] {
					t.Errorf("emulation %v: passes take device %d %v: want %s", emulate, device, times, want[device])
				}
			}
		})
	}
}

// TestProcessesIdle: a slowed device's process idles beside its work, and the others
// do not.
func TestProcessesIdle(t *testing.T) {
	top := devices(t, 2)
	top.Devices[1].Slowdown = 30
	w := demoWorkload()
	w.Tokens, w.IgnoreEOS = 8, true
	r := &exec.Runner{Options: exec.Options{Threads: 1, Timeout: ample, Local: processes(t), Emulate: true}}
	var got *edgeshard.Imitation
	r.Imitated = func(i *edgeshard.Imitation) { got = i }
	run(t, r, plan(t, "demo", top, w, cut{0, 5}, cut{1, 9}, cut{0, 10}))
	if d := got.Devices; d[0].Slowdown != 1 || d[0].Achieved != 0 || d[1].Slowdown != 30 || d[1].Achieved <= 1 {
		t.Errorf("%+v: want the second alone to idle", d)
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
