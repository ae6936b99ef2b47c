package edgeshard_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
)

// A drive runs a Batcher as a pipeline does, in a random order, and checks its
// promises at each step.
type drive struct {
	t        *rapid.T
	w        edgeshard.Workload
	b        *edgeshard.Batcher
	todo     []edgeshard.Request // not yet arrived
	flying   []*edgeshard.MicroBatch
	tokens   map[int]int // by request
	inFlight map[int]int // requests admitted and not ended, with their micro-batch
	over     map[int]bool
}

func (d *drive) enter() {
	m, ok := d.b.Next()
	if !ok {
		return
	}
	for _, r := range slices.Clone(m.Requests) {
		if m.Step == 0 {
			if rapid.IntRange(0, 9).Draw(d.t, "drop") == 0 {
				d.b.Drop(m, r.ID)
				d.over[r.ID] = true
				continue
			}
			d.inFlight[r.ID] = m.ID
		}
		if d.tokens[r.ID] != m.Step || d.inFlight[r.ID] != m.ID {
			d.t.Fatalf("request %d of micro-batch %d has %d tokens at step %d", r.ID, m.ID, d.tokens[r.ID], m.Step)
		}
	}
	if len(m.Requests) == 0 {
		return
	}
	d.flying = append(d.flying, m)
	d.check(m)
}

// check holds the schedule's promises when m has entered.
func (d *drive) check(m *edgeshard.MicroBatch) {
	switch {
	case len(m.Requests) > d.w.MicroBatch:
		d.t.Fatalf("micro-batch of %d, want at most %d", len(m.Requests), d.w.MicroBatch)
	case d.w.Schedule == edgeshard.Sequential && len(d.flying) > 1:
		d.t.Fatalf("%d passes in flight in sequence", len(d.flying))
	case len(d.inFlight) > d.w.Batch:
		d.t.Fatalf("%d requests in flight, want at most %d", len(d.inFlight), d.w.Batch)
	}
	if d.w.Schedule != edgeshard.Bubbles || d.w.Admission == edgeshard.ContinuousAdmission {
		return
	}
	for r := range d.inFlight { // no request is a token ahead of the pass that enters
		if d.tokens[r] < m.Step {
			d.t.Fatalf("step %d entered while request %d has %d tokens", m.Step, r, d.tokens[r])
		}
	}
}

func (d *drive) back() {
	i := rapid.IntRange(0, len(d.flying)-1).Draw(d.t, "back")
	m := d.flying[i]
	d.flying = slices.Delete(d.flying, i, i+1)
	before := slices.Clone(m.Requests)
	stop := rapid.IntRange(-1, d.w.Requests-1).Draw(d.t, "end of sequence")
	onward := d.b.Onward()
	ended := d.b.Done(m, func(id int) bool { return id == stop })
	for _, r := range before {
		d.tokens[r.ID]++
		over := slices.ContainsFunc(ended, func(e edgeshard.Request) bool { return e.ID == r.ID })
		if want := d.tokens[r.ID] == r.Tokens || r.ID == stop; over != want {
			d.t.Fatalf("request %d ended: %v after %d tokens of %d", r.ID, over, d.tokens[r.ID], r.Tokens)
		}
		if over {
			delete(d.inFlight, r.ID)
			d.over[r.ID] = true
		}
	}
	if onward && len(ended) == 0 && rapid.Bool().Draw(d.t, "onward") {
		d.b.Follow(m)
		d.flying = append(d.flying, m)
		d.check(m)
	}
}

func (d *drive) arrive() {
	d.b.Arrive(d.todo[0])
	d.todo = d.todo[1:]
}

// TestBatcher: whatever the order in which requests come and passes return, each
// request gets its tokens one by one, all end, and the sizes are kept.
func TestBatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := edgeshard.DefaultWorkload()
		w.Requests = rapid.IntRange(1, 20).Draw(t, "requests")
		w.Batch = rapid.IntRange(1, 7).Draw(t, "batch")
		w.MicroBatch = rapid.IntRange(1, w.Batch).Draw(t, "micro-batch")
		w.Tokens = rapid.IntRange(1, 5).Draw(t, "tokens")
		w.Schedule = rapid.SampledFrom([]edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles}).Draw(t, "schedule")
		w.Admission = rapid.SampledFrom([]edgeshard.Admission{edgeshard.BatchAdmission, edgeshard.ContinuousAdmission}).Draw(t, "admission")
		w.Order = rapid.SampledFrom([]edgeshard.Order{edgeshard.FIFO, edgeshard.ShortestFirst}).Draw(t, "order")
		d := &drive{t: t, w: w, b: edgeshard.NewBatcher(&w), todo: w.Arrivals(), tokens: map[int]int{}, inFlight: map[int]int{}, over: map[int]bool{}}
		for i := range d.todo {
			d.todo[i].Tokens = rapid.IntRange(1, w.Tokens).Draw(t, "tokens of one")
		}
		for steps := 0; len(d.over) < w.Requests; steps++ {
			if steps > 5000 {
				t.Fatalf("%d of %d requests ended after %d steps", len(d.over), w.Requests, steps)
			}
			switch op := rapid.IntRange(0, 2).Draw(t, "op"); {
			case op == 0 && len(d.todo) > 0:
				d.arrive()
			case op == 1 && len(d.flying) > 0:
				d.back()
			default:
				d.enter()
			}
		}
		if !d.b.Idle() || len(d.flying) > 0 {
			t.Fatalf("idle %v, %d passes in flight at the end", d.b.Idle(), len(d.flying))
		}
	})
}

// steps runs a batcher whose passes return in order, as soon as nothing more
// may enter, and writes down what enters.
func steps(w edgeshard.Workload, requests []edgeshard.Request) (entered [][3]int) {
	b := edgeshard.NewBatcher(&w)
	for _, r := range requests {
		b.Arrive(r)
	}
	var flying []*edgeshard.MicroBatch
	for !b.Idle() {
		if m, ok := b.Next(); ok {
			entered = append(entered, [3]int{m.ID, m.Step, m.Requests[0].ID})
			flying = append(flying, m)
			continue
		}
		b.Done(flying[0], nil)
		flying = flying[1:]
	}
	return entered
}

// TestSchedules writes out the passes of two requests of two and one tokens and a
// third of one: {micro-batch, step, request}.
func TestSchedules(t *testing.T) {
	requests := []edgeshard.Request{{ID: 0, Prompt: 1, Tokens: 2}, {ID: 1, Prompt: 1, Tokens: 1}, {ID: 2, Prompt: 1, Tokens: 2}}
	for name, c := range map[string]struct {
		w    edgeshard.Workload
		want [][3]int
	}{
		"sequential":  {edgeshard.Workload{Batch: 2, MicroBatch: 1, Schedule: edgeshard.Sequential}, [][3]int{{0, 0, 0}, {0, 1, 0}, {1, 0, 1}, {2, 0, 2}, {2, 1, 2}}},
		"bubbles":     {edgeshard.Workload{Batch: 2, MicroBatch: 1, Schedule: edgeshard.Bubbles}, [][3]int{{0, 0, 0}, {1, 0, 1}, {0, 1, 0}, {2, 0, 2}, {2, 1, 2}}},
		"no-bubbles":  {edgeshard.Workload{Batch: 3, MicroBatch: 1, Schedule: edgeshard.NoBubbles}, [][3]int{{0, 0, 0}, {1, 0, 1}, {2, 0, 2}, {0, 1, 0}, {2, 1, 2}}},
		"continuous":  {edgeshard.Workload{Batch: 2, MicroBatch: 1, Schedule: edgeshard.NoBubbles, Admission: edgeshard.ContinuousAdmission}, [][3]int{{0, 0, 0}, {1, 0, 1}, {0, 1, 0}, {2, 0, 2}, {2, 1, 2}}},
		"shortest":    {edgeshard.Workload{Batch: 1, MicroBatch: 1, Schedule: edgeshard.NoBubbles, Order: edgeshard.ShortestFirst}, [][3]int{{0, 0, 1}, {1, 0, 0}, {1, 1, 0}, {2, 0, 2}, {2, 1, 2}}},
		"micro-batch": {edgeshard.Workload{Batch: 3, MicroBatch: 2, Schedule: edgeshard.NoBubbles}, [][3]int{{0, 0, 0}, {1, 0, 2}, {0, 1, 0}, {1, 1, 2}}},
	} {
		if diff := cmp.Diff(c.want, steps(c.w, requests)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPassOfRagged: the pass has the longest prompt of those that still generate.
func TestPassOfRagged(t *testing.T) {
	b := edgeshard.NewBatcher(&edgeshard.Workload{Batch: 2, MicroBatch: 2, Schedule: edgeshard.NoBubbles})
	b.Arrive(edgeshard.Request{ID: 0, Prompt: 9, Tokens: 1})
	b.Arrive(edgeshard.Request{ID: 1, Prompt: 4, Tokens: 3})
	m, _ := b.Next()
	if p := m.Pass(); p.Batch != 2 || p.Tokens != 9 || p.Past != 0 {
		t.Errorf("prefill %+v, want 2 × 9 tokens", p)
	}
	b.Done(m, nil)
	if p := m.Pass(); p.Batch != 1 || p.Tokens != 1 || p.Past != 4 {
		t.Errorf("decode %+v, want 1 token past 4", p)
	}
}
