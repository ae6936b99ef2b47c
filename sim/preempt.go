package sim

import (
	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
)

// held returns the positions of a request's KV cache that memory is taken for.
func (s *pipeline) held(r edgeshard.Request, fl *flow) int {
	switch {
	case s.scenario.KV != scenarios.Grow:
		return r.Prompt + r.Tokens
	case fl.grown < 0:
		return 0
	}
	return r.Prompt + fl.grown
}

// grow takes the memory of a flow's next pass. If there is none while others
// hold some, the flow gives up its own and must wait: then grow returns false.
// The last flow that holds any never waits, so that a run goes on; requests it
// has no room for are given up.
func (s *pipeline) grow(f int32) bool {
	fl := &s.flows[f]
	m := fl.batch
	grown := m.Step + s.yield(m)
	for i := 0; i < len(m.Requests); {
		r := m.Requests[i]
		from, to := s.held(r, fl), r.Prompt+grown
		d, missing := s.memory.take(min(from, to), to, s.Now())
		if missing == 0 {
			i++
			continue
		}
		s.shrink(fl, i, grown)
		if s.othersHold(f) {
			return false
		}
		s.drop(m, r.ID, d, missing)
		i = 0
	}
	fl.grown = max(grown, fl.grown)
	return true
}

// yield is the most tokens that a micro-batch's next pass may give each request.
func (s *pipeline) yield(m *edgeshard.MicroBatch) int {
	if sp := s.scenario.Speculative; sp != nil && m.Step > 0 {
		return 1 + min(sp.Tokens, left(m)-1)
	}
	return 1
}

// shrink gives up all that a flow holds, of which the first n requests have
// grown already.
func (s *pipeline) shrink(fl *flow, n, grown int) {
	for i, r := range fl.batch.Requests {
		positions := s.held(r, fl)
		if i < n {
			positions = max(r.Prompt+grown, positions)
		}
		s.memory.give(positions, s.Now())
	}
	fl.rebuild = fl.batch.Step > 0
	fl.grown = -1
}

// othersHold reports whether a flow other than f holds KV caches.
func (s *pipeline) othersHold(f int32) bool {
	for i := range s.flows {
		if o := &s.flows[i]; int32(i) != f && o.batch != nil && o.parent < 0 && o.grown >= 0 {
			return true
		}
	}
	return false
}

// pause lets a flow wait for memory.
func (s *pipeline) pause(f int32) {
	s.flows[f].paused = s.Now()
	s.preempted = append(s.preempted, f)
}

// readmit lets preempted flows go on, the first one first, while there is memory.
func (s *pipeline) readmit() {
	for len(s.preempted) > 0 {
		f := s.preempted[0]
		m, since := s.flows[f].batch, s.flows[f].paused
		if !s.enter(f) {
			return
		}
		s.preempted = s.preempted[1:]
		if len(m.Requests) > 0 && since < s.Now() {
			s.tell(edgeshard.Span{
				What: edgeshard.Preempt, Request: m.Requests[0].ID, MicroBatch: m.ID, Batch: len(m.Requests),
				Step: m.Step, Stage: -1, Device: -1, To: -1, Start: since, End: s.Now(),
			})
		}
	}
}
