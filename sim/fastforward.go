package sim

import (
	"context"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
)

// maxTemplate is the most spans a template may have.
const maxTemplate = 1 << 18

// A template is the spans of a batch that had the cluster to itself. A batch of
// the same shape that starts with everything idle, and with no event to come
// that could interfere, yields the same ones later: times are integers, and
// nothing in such a pipeline depends on when it happens.
type template struct {
	recording  bool
	full       bool // the spans of the whole batch are here
	tooLong    bool
	requests   []edgeshard.Request // with identifiers that follow on one another
	batch      int                 // the first micro-batch's identifier
	start, end time.Duration
	spans      []edgeshard.Span
}

func (t *template) record(span edgeshard.Span) {
	if len(t.spans) == maxTemplate {
		*t = template{tooLong: true}
		return
	}
	t.spans = append(t.spans, span)
}

// fits reports whether requests are those of the template, but for arrivals and
// identifiers.
func (t *template) fits(requests []edgeshard.Request) bool {
	if !t.full || len(requests) != len(t.requests) {
		return false
	}
	for i, r := range requests {
		if q := t.requests[i]; r.Prompt != q.Prompt || r.Tokens != q.Tokens || r.ID != requests[0].ID+i {
			return false
		}
	}
	return true
}

// fastForward runs, without events, the upcoming batches that the template fits,
// and starts a new template with the first that it does not.
func (s *pipeline) fastForward(ctx context.Context) error {
	t := &s.replay
	if s.slow || t.tooLong || s.Len() > 0 {
		return nil
	}
	for ctx.Err() == nil {
		next, id := s.batcher.Upcoming()
		if len(next) == 0 || !s.memory.settled(s.Now()) {
			return nil
		}
		if t.recording {
			t.recording, t.full, t.end = false, true, s.Now()
		}
		if !t.fits(next) {
			s.startTemplate(next, id)
			return nil
		}
		s.repeat(next, id)
	}
	return ctx.Err()
}

// startTemplate records the batch about to form, if others may follow that are like it.
func (s *pipeline) startTemplate(next []edgeshard.Request, id int) {
	first, last := next[0].ID, next[len(next)-1].ID
	s.replay = template{
		recording: last-first == len(next)-1 && last < len(s.requests)-1,
		requests:  slices.Clone(next), batch: id, start: s.Now(), spans: s.replay.spans[:0],
	}
}

// repeat tells the template's spans as those of requests that start now.
func (s *pipeline) repeat(requests []edgeshard.Request, id int) {
	t := &s.replay
	shift, first := s.Now()-t.start, t.requests[0].ID
	for _, span := range t.spans {
		span.Start += shift
		span.End += shift
		switch span.What {
		case edgeshard.Compute:
			span.MicroBatch += id - t.batch
		case edgeshard.Send, edgeshard.Back:
			span.MicroBatch += id - t.batch
			span.Free += shift
		case edgeshard.Token, edgeshard.Queue:
			if span.Step == 0 {
				span.Start = requests[span.Request-first].Arrival
			}
		}
		if span.Request >= 0 {
			span.Request += requests[0].ID - first
		}
		s.obs.Span(span)
	}
	s.batcher.Skip()
	s.open -= len(requests)
	s.Advance(t.end + shift)
	s.memory.resettle(s.Now())
}
