package exec

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/scenarios"
)

// TestEffort: a computation takes its slowdown times its work, or what is typical
// of the work of its kind where that was disturbed.
func TestEffort(t *testing.T) {
	Virtual(t, func(t *testing.T) {
		s := &session{worker: &Worker{started: time.Now()}, ctx: t.Context()}
		pass := &wire.Pass{Step: 1, Sequences: []*wire.Sequence{{New: 1}}}
		for _, c := range []struct {
			slowdown   float64
			work, want time.Duration
		}{
			{1, time.Millisecond, time.Millisecond},
			{30, time.Millisecond, 30 * time.Millisecond},
			{30, time.Millisecond, 30 * time.Millisecond},
			{30, 7 * time.Millisecond, 30 * time.Millisecond}, // disturbed
			{2.5, time.Millisecond, 2500 * time.Microsecond},
			{30, 100 * time.Millisecond, 100 * time.Millisecond}, // out of all proportion
		} {
			begin := time.Now()
			e := s.start(c.slowdown, pass)
			time.Sleep(c.work) // the computation
			s.finish(e, c.slowdown)
			if took := time.Since(begin); took != c.want {
				t.Errorf("%s of work at a slowdown of %g took %s: want %s", c.work, c.slowdown, took, c.want)
			}
			s.habits.late = 0
		}
	})
}

// TestDial: a device is slowed by its slowdown, by other work on it, and along a
// trace.
func TestDial(t *testing.T) {
	p := three(t) // of which b has a slowdown of 2
	sc, err := scenarios.Parse("test", []byte("[[device]]\nname = \"b\"\nbackground = 0.9\ntrace = \"later\"\n"), p.Topology)
	if err != nil {
		t.Fatal(err)
	}
	later, err := scenarios.ParseTrace("later", strings.NewReader("time_s,factor\n0,1\n0.2,0.2\n"))
	if err != nil {
		t.Fatal(err)
	}
	sc.AddTrace("later", later)
	c := &cluster{options: &Options{Scenario: sc}, plan: p}
	for _, w := range []struct {
		device int
		at     time.Duration
		want   float64
	}{{0, 0, 1}, {1, 0, 20}, {1, 199 * time.Millisecond, 20}, {1, 200 * time.Millisecond, 100}, {2, time.Second, 1}} {
		d, err := c.dial(&member{device: w.device, cluster: c})
		if err != nil {
			t.Fatal(err)
		}
		got, until := d.at(w.at)
		if off := got.GetSlowdown()/w.want - 1; off > 1e-9 || off < -1e-9 {
			t.Errorf("device %d is slowed %g times at %s: want %g", w.device, got.GetSlowdown(), w.at, w.want)
		}
		if want := 200 * time.Millisecond; w.device == 1 && w.at < want && until != want {
			t.Errorf("it changes at %s: want %s", until, want)
		}
	}
}
