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
	tick := time.NewTicker(e.cluster.timeout / beatsInTimeout)
	defer tick.Stop()
	e.returned = e.now()
	e.began = e.returned
	for {
		closing := e.takeIn()
		if err := e.atBoundary(); err != nil {
			return err
		}
		if err := e.halt(closing); err != nil {
			return e.epoch.cause(e.epoch.source, err)
		}
		for !closing && e.moving == nil {
			p, f := e.book.next(e.now())
			if p == nil {
				break
			}
			if err := e.enter(p, f); err != nil {
				return e.epoch.cause(e.epoch.source, err)
			}
		}
		switch flying := len(e.book.flying); {
		case closing && flying == 0:
			return nil
		case e.moving != nil && (flying == 0 || e.now() > e.moving.by):
			return e.moving
		}
		if err := e.wait(e.epoch.ctx, tick.C); err != nil {
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
		if !e.book.withdraw(k) {
			e.stale = true
		}
	}
	return closing
}

// halt has the source let no further pass in by itself, where what follows is to be
// another: nothing, or micro-batches without those that have left.
func (e *Engine) halt(closing bool) error {
	wanted := e.stale || (closing || e.moving != nil) && !e.halted
	e.stale = false
	if !wanted || len(e.book.flying) == 0 {
		return nil
	}
	e.halted = true
	return e.epoch.source.send(&wire.Command{Kind: &wire.Command_Halt{Halt: &wire.Halt{}}})
}

// wait returns when a pass is back or something else is to be done.
func (e *Engine) wait(ctx context.Context, tick <-chan time.Time) error {
	select {
	case p := <-e.epoch.passes:
		return e.back(p)
	case <-e.wake:
		return nil
	case <-e.cluster.news:
		return e.rejoin()
	case <-tick:
		if len(e.book.flying) > 0 && e.now()-e.returned > passTimeout {
			return fmt.Errorf("no pass came back within %s", passTimeout)
		}
		return e.watchPace()
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
	if len(e.book.flying) == 1 {
		e.returned = e.now()
	}
	if p.GetAhead() > 0 {
		e.halted = false
	}
	return e.epoch.source.send(&wire.Command{Kind: &wire.Command_Pass{Pass: p}})
}

// back takes a pass that is back at the source with its tokens.
func (e *Engine) back(p *wire.Pass) error {
	now := e.now()
	e.returned = now
	f, tokens, err := e.book.back(p)
	if err != nil {
		return &DeviceError{e.epoch.source.name, err}
	}
	e.epoch.passed.Store(e.cluster.zero.Load() + int64(f.began))
	for _, s := range p.GetSpans() {
		e.measured(f, e.span(f.batch, s))
	}
	if f.last && f.rebuilds {
		e.obs.Span(edgeshard.Span{
			What: edgeshard.Rebuild, Request: f.batch.Requests[0].ID, MicroBatch: f.batch.ID, Batch: len(f.batch.Requests),
			Step: f.batch.Step, Stage: -1, Device: -1, To: -1, Start: f.began, End: now,
		})
	}
	e.record(f, tokens)
	for i, t := range tokens {
		e.token(f.batch, f.talks[i], t, now)
	}
	if p.GetOnward() {
		if err := e.book.follow(f, now); err != nil {
			return &DeviceError{e.epoch.source.name, err}
		}
		return nil
	}
	if !f.last {
		return nil
	}
	for _, k := range e.book.done(f) {
		if j := e.options.Journal; j != nil && !k.unwanted.Load() {
			j.file.End(k.request.ID)
		}
		k.reader.end(nil)
	}
	return nil
}

// token gives a talk its next token.
func (e *Engine) token(m *edgeshard.MicroBatch, k *talk, t Token, now time.Duration) {
	text := k.take(t.ID)
	if k.unwanted.Load() {
		return
	}
	e.obs.Span(edgeshard.Span{
		What: edgeshard.Token, Request: k.request.ID, Step: m.Step, Stage: -1, Device: -1, To: -1, Start: k.at, End: now,
	})
	k.at = now
	e.demand.add(now)
	e.faults.token()
	t.Text = text
	e.obs.Text(k.request.ID, t.ID, t.Text)
	k.reader.push(t)
}

// span tells of what a worker did for a pass.
func (e *Engine) span(m *edgeshard.MicroBatch, s *wire.Span) edgeshard.Span {
	out := edgeshard.Span{
		What: edgeshard.Compute, Request: m.Requests[0].ID, MicroBatch: m.ID, Batch: len(m.Requests), Step: m.Step,
		Stage: int(s.GetStage()), Device: int(s.GetDevice()), To: -1,
		Start: e.at(s.GetDevice(), s.GetStartNs()),
	}
	// By one clock: what is known of its offset may change from one look to the next.
	out.End = out.Start + max(0, time.Duration(s.GetEndNs()-s.GetStartNs()))
	if s.GetTo() != s.GetDevice() {
		out.End = e.at(s.GetTo(), s.GetEndNs())
		out.What, out.To, out.Bytes = edgeshard.Send, int(s.GetTo()), s.GetBytes()
		out.End = max(out.End, out.Start) // their order is certain, their distance is not
		out.Free = out.End
		if s.GetBusyNs() > 0 {
			out.Free = out.Start + time.Duration(s.GetBusyNs())
		}
		if out.Stage == len(e.epoch.plan.Stages) {
			out.What, out.Stage = edgeshard.Back, -1
		}
	}
	e.obs.Span(out)
	return out
}

// at brings a time of a device's clock to the run's.
func (e *Engine) at(device uint32, ns int64) time.Duration {
	if s := e.epoch.seat(int(device)); s != nil {
		return time.Duration(ns-s.offset()) - e.begin
	}
	return 0
}
