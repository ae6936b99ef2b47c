package exec

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// drive lets passes into the pipeline and takes their tokens out, until the
// engine closes.
func (e *Engine) drive() error {
	for {
		closing := e.takeIn()
		for !closing {
			p, f := e.book.next(e.now())
			if p == nil {
				break
			}
			if err := e.enter(p, f); err != nil {
				return e.cluster.cause(e.cluster.source, err)
			}
		}
		if closing && len(e.book.flying) == 0 {
			return nil
		}
		if err := e.wait(e.cluster.ctx); err != nil {
			return err
		}
	}
}

// takeIn takes in the requests that have come, lets those go that nobody waits
// for, and reports whether the engine is to close.
func (e *Engine) takeIn() (closing bool) {
	e.mu.Lock()
	coming, leaving := e.coming, e.leaving
	e.coming, e.leaving = nil, nil
	closing = e.closing
	e.mu.Unlock()
	for _, k := range coming {
		e.book.add(k)
	}
	for _, k := range leaving {
		e.book.withdraw(k)
	}
	return closing
}

// wait returns when a pass is back or something else is to be done.
func (e *Engine) wait(ctx context.Context) error {
	timer := time.NewTimer(passTimeout)
	defer timer.Stop()
	select {
	case p := <-e.cluster.passes:
		return e.back(p)
	case <-e.wake:
		return nil
	case <-timer.C:
		if len(e.book.flying) > 0 {
			return fmt.Errorf("no pass came back within %s", passTimeout)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// enter sends a pass to the source.
func (e *Engine) enter(p *wire.Pass, f *flight) error {
	for _, k := range f.talks {
		if !k.entered {
			k.entered = true
			e.obs.Span(edgeshard.Span{
				What: edgeshard.Queue, Request: k.request.ID, Stage: -1, Device: -1, To: -1, Start: k.request.Arrival, End: e.now(),
			})
		}
	}
	return e.cluster.source.send(&wire.Command{Kind: &wire.Command_Pass{Pass: p}})
}

// back takes a pass that is back at the source with its tokens.
func (e *Engine) back(p *wire.Pass) error {
	now := e.now()
	f, tokens, err := e.book.back(p)
	if err != nil {
		return &DeviceError{e.cluster.source.name, err}
	}
	for _, s := range p.GetSpans() {
		e.span(f.batch, s)
	}
	for i, t := range tokens {
		e.token(f.batch, f.talks[i], t, now)
	}
	if !f.last {
		return nil
	}
	for _, k := range e.book.done(f) {
		k.reader.end(nil)
	}
	return nil
}

// token gives a talk its next token.
func (e *Engine) token(m *edgeshard.MicroBatch, k *talk, t Token, now time.Duration) {
	if k.unwanted.Load() {
		return
	}
	e.obs.Span(edgeshard.Span{
		What: edgeshard.Token, Request: k.request.ID, Step: m.Step, Stage: -1, Device: -1, To: -1, Start: k.at, End: now,
	})
	k.at = now
	t.Text = k.take(t.ID)
	e.obs.Text(k.request.ID, t.ID, t.Text)
	k.reader.push(t)
}

// span tells of what a worker did for a pass.
func (e *Engine) span(m *edgeshard.MicroBatch, s *wire.Span) {
	out := edgeshard.Span{
		What: edgeshard.Compute, Request: m.Requests[0].ID, MicroBatch: m.ID, Batch: len(m.Requests), Step: m.Step,
		Stage: int(s.GetStage()), Device: int(s.GetDevice()), To: -1,
		Start: e.at(s.GetDevice(), s.GetStartNs()), End: e.at(s.GetTo(), s.GetEndNs()),
	}
	if s.GetTo() != s.GetDevice() {
		out.What, out.To, out.Bytes = edgeshard.Send, int(s.GetTo()), s.GetBytes()
		out.End = max(out.End, out.Start) // their order is certain, their distance is not
		out.Free = out.End
		if s.GetBusyNs() > 0 {
			out.Free = out.Start + time.Duration(s.GetBusyNs())
		}
		if out.Stage == len(e.cluster.plan.Stages) {
			out.What, out.Stage = edgeshard.Back, -1
		}
	}
	e.obs.Span(out)
}

// at brings a time of a device's clock to the run's.
func (e *Engine) at(device uint32, ns int64) time.Duration {
	for _, m := range e.cluster.members {
		if m.device == int(device) {
			offset, _ := m.clock.offset()
			return time.Duration(ns-offset) - e.begin
		}
	}
	return 0
}
