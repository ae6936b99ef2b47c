package edgeshard

import (
	"slices"

	"github.com/edgeshard/edgeshard/models"
)

// A MicroBatch is one pass to run: some sequences and what each of them adds.
type MicroBatch struct {
	ID       int       // stays the same from prefill to the last token
	Step     int       // 0 for prefill, t for the decode pass that yields token t+1
	Requests []Request // still generating, in order of admission; not to be changed or kept past Done

	out bool // handed out by Next and not back
}

// Pass returns the shape of the micro-batch's pass. Where prompts differ in
// length it has the longest.
func (m *MicroBatch) Pass() models.Pass {
	longest := 0
	for i := range m.Requests {
		longest = max(longest, m.Requests[i].Prompt)
	}
	if m.Step == 0 {
		return models.Pass{Batch: len(m.Requests), Tokens: longest}
	}
	return models.Pass{Batch: len(m.Requests), Tokens: 1, Past: longest + m.Step - 1}
}

// A Batcher decides what enters the first stage next and how many requests are
// in flight. It is pure: the simulator and the coordinator drive the same one,
// so that they can never differ in policy.
//
// With batch admission, batches run one after another: when none is running, up
// to Batch waiting requests form the next, in micro-batches of MicroBatch. With
// continuous admission a micro-batch forms as soon as requests wait and fewer
// than Batch are in flight. Requests are taken in the workload's order.
type Batcher struct {
	batch, micro int
	schedule     Schedule
	continuous   bool

	waiting waitlist
	running []*MicroBatch // formed and not ended, in order
	ready   []*MicroBatch // whose next pass may enter, in order
	flying  int           // passes in the pipeline
	going   int           // requests of running
	nextID  int
}

// NewBatcher returns a Batcher of the workload's sizes and policies.
func NewBatcher(w *Workload) *Batcher {
	b := &Batcher{batch: w.Batch, micro: w.MicroBatch, schedule: w.Schedule, continuous: w.Admission == ContinuousAdmission}
	b.waiting.shortest = w.Order == ShortestFirst
	return b
}

// Arrive adds a request.
func (b *Batcher) Arrive(r Request) { b.waiting.add(r) }

// Withdraw forgets a request that still waits, and reports whether there was one.
func (b *Batcher) Withdraw(request int) bool { return b.waiting.remove(request) }

// Idle reports that no request is waiting or running.
func (b *Batcher) Idle() bool { return b.waiting.len() == 0 && len(b.running) == 0 }

// Unfinished returns the requests that have arrived and not ended: those in
// micro-batches, then those that wait.
func (b *Batcher) Unfinished() []Request {
	var all []Request
	for _, m := range b.running {
		all = append(all, m.Requests...)
	}
	return append(all, b.waiting.requests...)
}

// Next returns the pass that may enter the first stage now, if there is one.
func (b *Batcher) Next() (*MicroBatch, bool) {
	b.form()
	if len(b.ready) == 0 || b.schedule == Sequential && b.flying > 0 {
		return nil, false
	}
	m := b.ready[0]
	b.ready = b.ready[1:]
	b.flying++
	m.out = true
	return m, true
}

// form makes micro-batches of waiting requests, as far as admission allows.
func (b *Batcher) form() {
	if b.waiting.len() == 0 || !b.continuous && len(b.running) > 0 {
		return
	}
	limit := b.batch
	if b.continuous && b.schedule == Sequential {
		limit = b.micro
	}
	for room := limit - b.going; room > 0 && b.waiting.len() > 0; room = limit - b.going {
		m := &MicroBatch{ID: b.nextID, Requests: b.waiting.take(min(b.micro, room))}
		b.nextID++
		b.going += len(m.Requests)
		b.running = append(b.running, m)
		b.ready = append(b.ready, m)
	}
}

// Onward reports that a micro-batch in the pipeline goes on as soon as its pass is
// back, whatever else happens, unless a request of it ends there.
func (b *Batcher) Onward() bool {
	return b.schedule != Bubbles || !b.continuous && len(b.running) == 1
}

// Follow tells that the next pass of m, whose pass is Done, has entered, as Next
// would have had it.
func (b *Batcher) Follow(m *MicroBatch) {
	b.ready = slices.DeleteFunc(b.ready, func(o *MicroBatch) bool { return o == m })
	b.flying++
	m.out = true
}

// Done tells that m's pass is back at the source with a token for each of its
// requests, and that those for which stopped is true (nil: none) end before
// their last token. It returns the requests that ended.
func (b *Batcher) Done(m *MicroBatch, stopped func(request int) bool) []Request {
	return b.DoneTokens(m, 1, stopped)
}

// DoneTokens is Done of a pass that yielded n tokens for each request, as a pass
// that verifies drafted tokens may.
func (b *Batcher) DoneTokens(m *MicroBatch, n int, stopped func(request int) bool) []Request {
	b.flying--
	m.out = false
	m.Step += n
	var ended []Request
	last := func(r Request) bool { return m.Step >= r.Tokens || stopped != nil && stopped(r.ID) }
	if slices.ContainsFunc(m.Requests, last) {
		going := make([]Request, 0, len(m.Requests))
		for _, r := range m.Requests {
			if last(r) {
				ended = append(ended, r)
			} else {
				going = append(going, r)
			}
		}
		b.keep(m, going)
	}
	b.release(m)
	return ended
}

// Drop ends a request that cannot be served: of a pass that Next returned and
// that has not entered the pipeline, or of a micro-batch that is not in it.
// When the last request of a pass is dropped, the pass is over.
func (b *Batcher) Drop(m *MicroBatch, request int) {
	b.keep(m, slices.DeleteFunc(m.Requests, func(r Request) bool { return r.ID == request }))
	if len(m.Requests) > 0 {
		return
	}
	if m.out {
		m.out = false
		b.flying--
	}
	b.ready = slices.DeleteFunc(b.ready, func(o *MicroBatch) bool { return o == m })
	b.barrier()
}

// keep leaves m with the requests that go on, and forgets it if there are none.
func (b *Batcher) keep(m *MicroBatch, going []Request) {
	b.going -= len(m.Requests) - len(going)
	m.Requests = going
	if len(going) == 0 {
		b.running = slices.DeleteFunc(b.running, func(o *MicroBatch) bool { return o == m })
	}
}

// release makes ready what m's return allows to go on.
func (b *Batcher) release(m *MicroBatch) {
	switch {
	case b.schedule == Bubbles:
		b.barrier()
	case len(m.Requests) == 0:
	case b.schedule == Sequential:
		b.ready = slices.Insert(b.ready, 0, m)
	default:
		b.ready = append(b.ready, m)
	}
}

// barrier starts the next token of all micro-batches when every one has this one.
func (b *Batcher) barrier() {
	if b.schedule == Bubbles && b.flying == 0 && len(b.ready) == 0 {
		b.ready = append(b.ready, b.running...)
	}
}

// Upcoming returns the requests of the batch that would form now with batch
// admission in order of arrival, and the ID its first micro-batch would have;
// nil while a batch is running. They are not to be changed.
func (b *Batcher) Upcoming() (requests []Request, id int) {
	if len(b.running) > 0 || b.continuous {
		return nil, 0
	}
	return b.waiting.peek(b.batch), b.nextID
}

// Skip passes over the Upcoming batch as if it had been run.
func (b *Batcher) Skip() {
	requests, _ := b.Upcoming()
	n := len(b.waiting.take(len(requests)))
	b.nextID += (n + b.micro - 1) / b.micro
}
