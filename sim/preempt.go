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

// grow takes the memory of a flow's next pass. If there is none while others are
// in the pipeline, the flow gives up its own and must wait for them: then grow
// returns false. If there is nobody to wait for, flows that rest between two
// passes lose theirs, the youngest first; and where none does, requests are
// given up. So a run always goes on.
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
		if s.crowded(f) {
			return false
		}
		i = 0
		if s.evict(f) {
			continue
		}
		s.drop(m, r.ID, d, missing)
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
	if fl.grown >= 0 {
		fl.evicted = s.Now()
	}
	fl.grown = -1
}

// crowded reports whether a flow other than f is in the pipeline.
func (s *pipeline) crowded(f int32) bool {
	for i := range s.flows {
		if o := &s.flows[i]; int32(i) != f && o.batch != nil && o.inside {
			return true
		}
	}
	return false
}

// evict takes the KV caches of the youngest flow but f that has any and rests.
func (s *pipeline) evict(f int32) bool {
	live := s.live()
	for i := len(live) - 1; i >= 0; i-- {
		if o := &s.flows[live[i]]; live[i] != f && !o.inside && o.grown >= 0 {
			s.shrink(o, 0, 0)
			return true
		}
	}
	return false
}

// readmit lets flows that wait for memory go on, the first one first, while
// there is any.
func (s *pipeline) readmit() {
	for len(s.waiting) > 0 && s.enter(s.waiting[0]) {
		s.waiting = s.waiting[1:]
	}
}

// readmitted tells that a flow has its memory back.
func (s *pipeline) readmitted(fl *flow) {
	m := fl.batch
	s.tell(edgeshard.Span{
		What: edgeshard.Preempt, Request: m.Requests[0].ID, MicroBatch: m.ID, Batch: len(m.Requests),
		Step: m.Step, Stage: -1, Device: -1, To: -1, Start: fl.evicted, End: s.Now(),
	})
	fl.evicted = -1
}
