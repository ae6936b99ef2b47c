package tui

import (
	"context"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard"
)

// watch drives a run of a plan to its end.
func watch(t *testing.T) *driver {
	t.Helper()
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.keys("r")
	if r := &d.m.run; !r.ended || r.tape.end == 0 {
		t.Fatalf("ended %v at %s", r.ended, r.tape.end)
	}
	return d
}

// TestRunFigures: the figures of a run are those of a report of the same spans.
func TestRunFigures(t *testing.T) {
	d := watch(t)
	rec := edgeshard.NewRecorder(d.m.run.plan)
	if err := (fakeRunner{}).Run(context.Background(), d.m.run.plan, rec); err != nil {
		t.Fatal(err)
	}
	want := rec.Report("sim")
	got := d.m.run.tape.soFar(d.m.run.tape.end)
	if got.tokens != want.Tokens || !near(got.ttft, want.TTFT.Mean) || !near(got.tpot, want.TPOT.Mean) || !near(got.throughput, want.Throughput) {
		t.Errorf("so far %+v: want TTFT %g, TPOT %g, %g tokens/s", got, want.TTFT.Mean, want.TPOT.Mean, want.Throughput)
	}
}

// TestWatch: a run is scrubbed, stepped and played; the real one follows it.
func TestWatch(t *testing.T) {
	d := watch(t)
	d.keys("home")
	var times []time.Duration
	for range 10 {
		d.keys(".")
		times = append(times, d.m.run.at)
	}
	for i := 1; i < len(times); i++ {
		if times[i] <= times[i-1] {
			t.Fatalf("steps do not go on: %v", times)
		}
	}
	d.keys(",")
	if d.m.run.at != times[8] {
		t.Errorf("a step back leads to %s: want %s", d.m.run.at, times[8])
	}
	at := d.m.run.at
	d.keys("space")
	d.send(frameNow(d))
	if d.m.run.at <= at {
		t.Error("time does not pass")
	}
	d.keys("R")
	d.want("word95")
	if d.m.run.ghost == nil {
		t.Error("no prediction is ghosted beside the real run")
	}
}

func near(a, b float64) bool { return a-b < 1e-6*b && b-a < 1e-6*b }

func frameNow(d *driver) tea.Msg {
	next, _ := d.m.Update(frameMsg{d.m.run.frames})
	d.m = next.(Model)
	return nil
}
