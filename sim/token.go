package sim

import (
	"time"

	"github.com/edgeshard/edgeshard"
)

// token gives every request of a flow its tokens, which the coordinator has after a
// time, and ends those that have all.
func (s *pipeline) token(f int32, after time.Duration) {
	fl, now := &s.flows[f], s.Now()+after
	m, n := fl.batch, s.accepted(fl)
	if fl.rebuild {
		s.tell(s.span(edgeshard.Rebuild, f, -1, -1, -1))
		fl.rebuild = false
	}
	for i := range m.Requests {
		r := &m.Requests[i]
		start := fl.token
		if m.Step == 0 {
			start = r.Arrival
		}
		for t := range n {
			s.tell(edgeshard.Span{What: edgeshard.Token, Request: r.ID, Step: m.Step + t, Stage: -1, Device: -1, To: -1, Start: start, End: now})
			start = now
		}
	}
	fl.token, fl.inside = now, false
	s.tokens += n * len(m.Requests)
	for _, r := range s.batcher.DoneTokens(m, n, nil) {
		s.memory.give(s.held(r, fl), s.Now())
		s.open--
	}
	if len(m.Requests) == 0 {
		s.forget(f)
	}
	s.faults.reached(s)
}

// span describes what a flow has just ended.
func (s *pipeline) span(what edgeshard.What, f int32, stage, device, to int) edgeshard.Span {
	fl := &s.flows[f]
	span := edgeshard.Span{
		What: what, Request: fl.batch.Requests[0].ID, MicroBatch: fl.batch.ID, Batch: len(fl.batch.Requests), Step: fl.batch.Step,
		Stage: stage, Device: device, To: to, Start: fl.start, End: s.Now(),
	}
	switch {
	case to >= 0:
		span.Bytes, span.Free = fl.row.bytes[fl.stage], fl.free
	case what == edgeshard.Rebuild || what == edgeshard.Lost:
		span.Start = fl.entered
	}
	return span
}

// deliver ends a flow's message and reports whether its pass is over.
func (s *pipeline) deliver(f int32) (over bool) {
	fl := &s.flows[f]
	hop := s.hops[fl.stage]
	if fl.stage < len(s.plan.Stages) {
		if hop != nil {
			s.tell(s.span(edgeshard.Send, f, fl.stage, hop.from, hop.to))
		}
		s.arriveAt(f)
		return false
	}
	if hop != nil {
		s.tell(s.span(edgeshard.Back, f, -1, hop.from, hop.to))
	}
	turn := s.rates.Turn()
	if fl.onward = s.batcher.Onward() && fl.drafted == 0 && left(fl.batch) > 1; fl.onward {
		s.token(f, turn.Token)
		return true
	}
	if late := turn.Token; late > 0 {
		s.After(late, event{kind: returned, flow: f, epoch: fl.epoch})
		return false
	}
	s.token(f, 0)
	return true
}

// begin brings a flow to the first stage, when the source has its pass.
func (s *pipeline) begin(f int32) {
	turn := s.rates.Turn()
	early := turn.Enter
	if fl := &s.flows[f]; fl.onward && !fl.rebuild {
		early = turn.Onward
	}
	if early > 0 {
		s.After(early, event{kind: delivered, flow: f, epoch: s.flows[f].epoch})
		return
	}
	s.arriveAt(f)
}
