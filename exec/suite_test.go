package exec_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/sim"
)

const inProcess = "exec in memory"

// runners are the implementations that the suite holds to the same checks.
func runners(t *testing.T) map[string]edgeshard.Runner {
	return map[string]edgeshard.Runner{
		"sim":           &sim.Runner{},
		inProcess:       inMemory(),
		"exec over TCP": &exec.Runner{Options: exec.Options{Threads: 1, Timeout: ample, Local: processes(t)}},
	}
}

// A check is what every Runner must do with a plan.
type check struct {
	name string
	test func(*testing.T, edgeshard.Runner)
}

var suite = []check{
	{"spans", checkSpans}, {"schedules", checkSchedules}, {"invalid plan", checkInvalid},
	{"does not fit", checkShortage}, {"cancelled", checkCancelled}, {"arrivals", checkArrivals},
}

func TestRunners(t *testing.T) {
	all := runners(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, c := range suite {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				if name == inProcess {
					exec.Virtual(t, func(t *testing.T) { c.test(t, all[name]) })
					return
				}
				c.test(t, all[name])
			})
		}
	}
}

// revisit is a plan in which the source computes again at the end.
func revisit(t *testing.T, w edgeshard.Workload) *edgeshard.Plan {
	return plan(t, "demo", devices(t, 3), w, cut{0, 2}, cut{1, 5}, cut{2, 8}, cut{0, 10})
}

// checkSpans holds a run of known shape to the spans it must have.
func checkSpans(t *testing.T, r edgeshard.Runner) {
	w := demoWorkload()
	w.Batch, w.MicroBatch, w.Schedule, w.IgnoreEOS = 4, 2, edgeshard.Bubbles, true
	p := revisit(t, w)
	p.Workload.Prompts = nil // all prompts are of the same length
	rec := run(t, r, p)
	passes := 2 * w.Tokens
	for what, want := range map[edgeshard.What]int{
		edgeshard.Compute: 4 * passes, edgeshard.Send: 3 * passes, edgeshard.Back: 0,
		edgeshard.Token: w.Requests * w.Tokens, edgeshard.Queue: w.Requests, edgeshard.OOM: 0,
	} {
		if got := len(rec.whats(what)); got != want {
			t.Errorf("%d spans of %s: want %d", got, what, want)
		}
	}
	checkBytes(t, p, rec)
	checkTurns(t, rec)
	checkTokens(t, p, rec)
}

// checkBytes holds messages to the size of their activations.
func checkBytes(t *testing.T, p *edgeshard.Plan, rec *recording) {
	t.Helper()
	row := int64(4 * p.Model.Config.Dim)
	for _, s := range rec.whats(edgeshard.Send) {
		want := row * int64(s.Batch)
		if s.Step == 0 {
			want *= int64(p.Workload.PromptTokens)
		}
		if s.Bytes != want || s.Start > s.Free || s.Free > s.End {
			t.Fatalf("%+v: want %d bytes, and start, free and end in order", s, want)
		}
	}
}

// checkTurns makes sure that a device computes one pass at a time, in time.
func checkTurns(t *testing.T, rec *recording) {
	t.Helper()
	byDevice := make(map[int][]edgeshard.Span)
	for _, s := range rec.whats(edgeshard.Compute) {
		if s.Start < 0 || s.End < s.Start {
			t.Fatalf("%+v ends before it starts", s)
		}
		byDevice[s.Device] = append(byDevice[s.Device], s)
	}
	for d, spans := range byDevice {
		slices.SortFunc(spans, func(a, b edgeshard.Span) int { return cmp.Compare(a.Start, b.Start) })
		for i := 1; i < len(spans); i++ {
			if spans[i].Start < spans[i-1].End {
				t.Fatalf("device %d computes two passes at once: %+v, %+v", d, spans[i-1], spans[i])
			}
		}
	}
}

// checkTokens makes sure that every request gets all its tokens, in order, and
// that the report says so.
func checkTokens(t *testing.T, p *edgeshard.Plan, rec *recording) {
	t.Helper()
	steps, last := make(map[int]int), make(map[int]time.Duration)
	for _, s := range rec.whats(edgeshard.Token) {
		if s.Step != steps[s.Request] || s.Start != last[s.Request] || s.End < s.Start {
			t.Fatalf("%+v: want step %d from %s on", s, steps[s.Request], last[s.Request])
		}
		steps[s.Request]++
		last[s.Request] = s.End
	}
	w := &p.Workload
	rep := edgeshard.NewReport("test", p, rec.spans)
	if rep.Requests != w.Requests || rep.Tokens != w.Requests*w.Tokens || rep.Throughput <= 0 {
		t.Errorf("report has %d requests, %d tokens, %g tokens/s: want %d and %d", rep.Requests, rep.Tokens, rep.Throughput, w.Requests, w.Requests*w.Tokens)
	}
	for _, d := range rep.Devices {
		if d.Memory <= 0 {
			t.Errorf("device %s held no memory", d.Name)
		}
	}
}

// checkSchedules makes sure of what each schedule allows at the same time.
func checkSchedules(t *testing.T, r edgeshard.Runner) {
	for _, schedule := range []edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles} {
		w := demoWorkload()
		w.Batch, w.MicroBatch, w.Schedule, w.IgnoreEOS = 4, 1, schedule, true
		rec := run(t, r, revisit(t, w))
		var order []int // steps, as their tokens come
		for _, s := range rec.whats(edgeshard.Token) {
			order = append(order, s.Step)
		}
		switch schedule {
		case edgeshard.Bubbles:
			if !slices.IsSorted(order) {
				t.Errorf("bubbles: a token step began before the one before it had ended: %v", order)
			}
		case edgeshard.Sequential:
			for i, step := range order {
				if step != i%w.Tokens {
					t.Fatalf("sequential: token %d is of step %d: want one request after another", i, step)
				}
			}
		}
	}
}

func checkInvalid(t *testing.T, r edgeshard.Runner) {
	p := revisit(t, demoWorkload())
	p.Stages[1].From++
	if _, err := try(t.Context(), r, p); err == nil {
		t.Error("a plan with a gap ran")
	}
}

// checkShortage makes sure that a plan that cannot fit is refused with numbers.
func checkShortage(t *testing.T, r edgeshard.Runner) {
	p := revisit(t, demoWorkload())
	p.Topology.Devices[1].Usable = 100_000
	rec, err := try(t.Context(), r, p)
	var oom *edgeshard.OutOfMemory
	if !errors.As(err, &oom) {
		t.Fatalf("error %v: want out of memory", err)
	}
	if oom.Device != "d1" || oom.Budget != 100_000 || oom.Need <= oom.Budget {
		t.Errorf("%+v: want d1 with its budget of 100000 bytes", oom)
	}
	if spans := rec.whats(edgeshard.OOM); len(spans) != 1 || spans[0].Device != 1 || spans[0].Bytes != oom.Missing() || spans[0].Request != -1 {
		t.Errorf("OOM spans %+v: want one of d1, for no request, with %d bytes", spans, oom.Missing())
	}
}

func checkCancelled(t *testing.T, r edgeshard.Runner) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := try(ctx, r, revisit(t, demoWorkload())); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v: want %v", err, context.Canceled)
	}
}

// checkArrivals makes sure that requests wait for their arrival, and that the
// pipeline may fall idle between them.
func checkArrivals(t *testing.T, r edgeshard.Runner) {
	w := demoWorkload()
	w.Rate, w.Batch, w.Tokens, w.IgnoreEOS = 200, 2, 3, true
	p := revisit(t, w)
	rec := run(t, r, p)
	arrivals := make(map[int]time.Duration)
	for _, a := range w.Arrivals() {
		arrivals[a.ID] = a.Arrival
	}
	for _, s := range rec.whats(edgeshard.Queue) {
		if s.Start != arrivals[s.Request] || s.End < s.Start {
			t.Errorf("%+v: want it to wait from %s on", s, arrivals[s.Request])
		}
	}
	if got := len(rec.whats(edgeshard.Token)); got != w.Requests*w.Tokens {
		t.Errorf("%d tokens: want %d", got, w.Requests*w.Tokens)
	}
}
