package sim

import (
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
)

// A flow is a micro-batch on its way. In the pipeline it is at one place at a
// time: computing stage, or on the link into it. Chunks of a prefill but the
// last are flows of their own, with a parent.
type flow struct {
	batch   *edgeshard.MicroBatch
	row     *row
	pass    models.Pass
	stage   int
	begun   bool          // its first pass has entered
	inside  bool          // in the pipeline
	rebuild bool          // the next pass computes the KV caches again
	onward  bool          // the source lets its next pass in by itself
	entered time.Duration // its pass
	start   time.Duration // what it does now: a stage, or the occupation of a link
	free    time.Duration // when the link it is on is free again
	token   time.Duration // when its last token came
	evicted time.Duration // when it lost its KV caches to others; −1: it has not
	grown   int           // with growing KV caches: positions past the prompt; −1: none held
	epoch   int32
	parent  int32 // −1: none
	chunk   chunk
	drafted int           // tokens that its pass verifies
	draft   time.Duration // that the source takes to draft them
}

// A chunk is a part of a prefill pass: from, up to to, of the tokens of the whole.
type chunk struct{ from, to, of int }

// flowOf returns the flow of a micro-batch, a new one before its first pass.
func (s *pipeline) flowOf(m *edgeshard.MicroBatch) int32 {
	if f, ok := s.byBatch[m]; ok {
		return f
	}
	f := s.newFlow(m, -1)
	s.byBatch[m] = f
	return f
}

func (s *pipeline) newFlow(m *edgeshard.MicroBatch, parent int32) int32 {
	if len(s.free) == 0 {
		s.flows = append(s.flows, flow{})
		s.free = append(s.free, int32(len(s.flows)-1))
	}
	f := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.flows[f] = flow{batch: m, parent: parent, grown: -1, evicted: -1, epoch: s.flows[f].epoch}
	return f
}

// forget ends a flow; what is scheduled for it is void.
func (s *pipeline) forget(f int32) {
	if s.flows[f].parent < 0 {
		delete(s.byBatch, s.flows[f].batch)
	}
	s.flows[f] = flow{epoch: s.flows[f].epoch + 1}
	s.free = append(s.free, f)
}

// enter starts a micro-batch's next pass, and returns false if it must wait for
// memory. A flow whose requests are all given up for lack of it is gone.
func (s *pipeline) enter(f int32) bool {
	fl := &s.flows[f]
	if s.scenario.KV == scenarios.Grow && !s.grow(f) {
		return false
	}
	if len(fl.batch.Requests) == 0 {
		s.forget(f)
		return true
	}
	if fl.evicted >= 0 {
		s.readmitted(fl)
	}
	m, now := fl.batch, s.Now()
	if !fl.begun {
		fl.begun = true
		for i := range m.Requests {
			s.tell(edgeshard.Span{What: edgeshard.Queue, Request: m.Requests[i].ID, Stage: -1, Device: -1, To: -1, Start: m.Requests[i].Arrival, End: now})
		}
	}
	fl.entered, fl.inside, fl.stage = now, true, 0
	fl.pass, fl.drafted = s.shape(fl), 0
	if !fl.rebuild && m.Step > 0 {
		fl.drafted = fl.pass.Tokens - 1
	}
	if most := s.scenario.PrefillChunk; most > 0 && fl.pass.Past == 0 && fl.pass.Tokens > most {
		s.firstChunk(f, most)
		return true
	}
	fl.chunk = chunk{}
	fl.draft = s.rates.drafting(fl.pass, fl.drafted)
	fl.row = s.table.row(fl.pass)
	s.begin(f)
	return true
}

// shape returns the pass that a flow is to run: its micro-batch's, over all
// tokens so far where the KV caches are lost, and over drafted ones.
func (s *pipeline) shape(fl *flow) models.Pass {
	p := fl.batch.Pass()
	switch {
	case fl.rebuild:
		return models.Pass{Batch: p.Batch, Tokens: p.Past + p.Tokens}
	case fl.batch.Step > 0:
		p.Tokens = s.yield(fl.batch)
	}
	return p
}

// left returns the fewest tokens that a request of a micro-batch lacks.
func left(m *edgeshard.MicroBatch) int {
	n := m.Requests[0].Tokens - m.Step
	for i := range m.Requests {
		n = min(n, m.Requests[i].Tokens-m.Step)
	}
	return n
}

// accepted draws how many tokens a flow's pass yields: one, and of drafted ones
// those before the first that is refused. A micro-batch goes on in step, with
// the fewest of its sequences.
func (s *pipeline) accepted(fl *flow) int {
	least := fl.drafted + 1
	if least == 1 {
		return 1
	}
	for range fl.batch.Requests {
		n := 1
		for n < least && s.rng.Float64() < s.scenario.Speculative.Acceptance {
			n++
		}
		least = n
	}
	return least
}

// firstChunk sends a long prefill through the pipeline in parts. A part enters
// when the one before it has left the first stage, so that passes of others
// that wait there come in between.
func (s *pipeline) firstChunk(f int32, most int) {
	whole := s.flows[f].pass
	child := s.newFlow(s.flows[f].batch, f)
	s.flows[child].entered = s.Now()
	s.enterChunk(child, chunk{to: most, of: whole.Tokens}, whole.Batch)
}

// nextChunk enters the chunk after the one of a flow: the last one is the parent.
func (s *pipeline) nextChunk(f int32) {
	c, most := s.flows[f].chunk, s.scenario.PrefillChunk
	parent, batch := s.flows[f].parent, s.flows[f].pass.Batch
	if parent < 0 {
		return
	}
	next := chunk{from: c.to, to: min(c.to+most, c.of), of: c.of}
	if next.to < next.of {
		child := s.newFlow(s.flows[parent].batch, parent)
		s.flows[child].entered = s.Now()
		s.enterChunk(child, next, batch)
		return
	}
	s.enterChunk(parent, next, batch)
}

func (s *pipeline) enterChunk(f int32, c chunk, batch int) {
	fl := &s.flows[f]
	fl.chunk = c
	fl.pass = models.Pass{Batch: batch, Tokens: c.to - c.from, Past: c.from}
	fl.draft = s.rates.drafting(fl.pass, 0)
	fl.row = s.table.row(fl.pass)
	if c.from == 0 {
		s.begin(f)
		return
	}
	s.arriveAt(f)
}
