package edgeshard

import (
	"slices"

	"github.com/edgeshard/edgeshard/models"
)

// A MicroBatch is one pass to run: some sequences and what each of them adds.
type MicroBatch struct {
	ID       int       // stays the same from prefill to the last token
	Step     int       // 0 for prefill, t for the decode pass that yields token t+1
	Requests []Request // still generating, in order of arrival; not to be changed or kept past Done
}

// Pass returns the shape of the micro-batch's pass. Where prompts differ in
// length it has the longest.
func (m *MicroBatch) Pass() models.Pass {
	longest := 0
	for _, r := range m.Requests {
		longest = max(longest, r.Prompt)
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
// Batches run one after another: when none is running, up to Batch waiting
// requests, in order of arrival, form the next, in micro-batches of MicroBatch.
type Batcher struct {
	batch, micro int
	schedule     Schedule

	waiting []Request
	running []*MicroBatch // of the current batch, in order, ended ones removed
	ready   []*MicroBatch // whose next pass may enter, in order
	flying  int           // passes in the pipeline
	nextID  int
}

// NewBatcher returns a Batcher of the workload's sizes and schedule.
func NewBatcher(w *Workload) *Batcher {
	return &Batcher{batch: w.Batch, micro: w.MicroBatch, schedule: w.Schedule}
}

// Arrive adds a request.
func (b *Batcher) Arrive(r Request) { b.waiting = append(b.waiting, r) }

// Idle reports that no request is waiting or running.
func (b *Batcher) Idle() bool { return len(b.waiting) == 0 && len(b.running) == 0 }

// Next returns the pass that may enter the first stage now, if there is one.
func (b *Batcher) Next() (*MicroBatch, bool) {
	if len(b.running) == 0 {
		b.form()
	}
	if len(b.ready) == 0 || b.schedule == Sequential && b.flying > 0 {
		return nil, false
	}
	m := b.ready[0]
	b.ready = b.ready[1:]
	b.flying++
	return m, true
}

// form makes the next batch of the waiting requests.
func (b *Batcher) form() {
	n := min(b.batch, len(b.waiting))
	for lo := 0; lo < n; lo += b.micro {
		m := &MicroBatch{ID: b.nextID, Requests: slices.Clone(b.waiting[lo:min(lo+b.micro, n)])}
		b.nextID++
		b.running = append(b.running, m)
	}
	b.waiting = b.waiting[n:]
	b.ready = append(b.ready, b.running...)
}

// Done tells that m's pass is back at the source with a token for each of its
// requests, and that those for which stopped is true (nil: none) end before
// their last token. It returns the requests that ended.
func (b *Batcher) Done(m *MicroBatch, stopped func(request int) bool) []Request {
	b.flying--
	m.Step++
	var ended, going []Request
	for _, r := range m.Requests {
		if m.Step >= r.Tokens || stopped != nil && stopped(r.ID) {
			ended = append(ended, r)
		} else {
			going = append(going, r)
		}
	}
	m.Requests = going
	if len(going) == 0 {
		b.running = slices.DeleteFunc(b.running, func(o *MicroBatch) bool { return o == m })
	}
	b.release(m)
	return ended
}

// Drop ends a request that cannot be served, before its first pass has entered
// the pipeline or after a pass is back.
func (b *Batcher) Drop(m *MicroBatch, request int) {
	m.Requests = slices.DeleteFunc(m.Requests, func(r Request) bool { return r.ID == request })
	if len(m.Requests) == 0 {
		same := func(o *MicroBatch) bool { return o == m }
		b.running = slices.DeleteFunc(b.running, same)
		b.ready = slices.DeleteFunc(b.ready, same)
	}
}

// release makes ready what m's return allows to go on.
func (b *Batcher) release(m *MicroBatch) {
	switch {
	case b.schedule == Bubbles:
		if b.flying == 0 && len(b.ready) == 0 {
			b.ready = append(b.ready, b.running...)
		}
	case len(m.Requests) == 0:
	case b.schedule == Sequential:
		b.ready = slices.Insert(b.ready, 0, m)
	default:
		b.ready = append(b.ready, m)
	}
}
