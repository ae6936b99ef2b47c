package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// receive takes passes from another worker until its lane or the session ends.
func (s *session) receive(lane *wire.Lane, device uint32) error {
	select {
	case <-s.opened:
	case <-s.ctx.Done():
		return errSessionEnded
	}
	ended := make(chan error, 1)
	r := &reception{session: s, device: device, lane: lane, pulse: s.linkPulse()}
	go func() { ended <- r.pump() }()
	tick := time.NewTicker(r.pulse.interval)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			s.awaitUnload()
			s.end(&lost{device: device, err: fmt.Errorf("its passes stopped coming: %w", err)})
			return err
		case <-tick.C:
			if now := time.Duration(s.worker.clock()); r.silent(now) {
				s.end(&lost{device, fmt.Errorf("nothing came from it for %s", s.linkSilence()), now - r.pulse.heard})
			}
		case <-s.ctx.Done():
			return r.abandon(ended)
		}
	}
}

var errSessionEnded = errors.New("the session has ended")

// abandon gives the other side time for its goodbye, where all have been told to
// unload, and returns what the lane ended with.
func (r *reception) abandon(ended <-chan error) error {
	if errors.Is(context.Cause(r.session.ctx), errUnloaded) {
		timer := time.AfterFunc(closeTimeout, func() { _ = r.lane.Close() })
		defer timer.Stop()
	} else {
		_ = r.lane.Close()
	}
	if err := <-ended; errors.Is(err, io.EOF) {
		return nil
	}
	return errSessionEnded
}

// linkSilence is the silence after which a link counts as cut: less than that
// after which a worker counts as dead, since the coordinator is yet to be told of
// it, and to wait for a better explanation.
func (s *session) linkSilence() time.Duration {
	return time.Duration(s.load.GetTimeoutNs()) * 9 / 20
}

// A reception is a stream of passes from another worker.
type reception struct {
	session *session
	device  uint32
	lane    *wire.Lane
	came    atomic.Int64 // when a frame last did, by the worker's clock

	pulse  *pulse
	before int64 // bytes, when there was last something of it
}

// partOfMessage is what must come of a large message for its link to count as
// alive while it is on the way; less may be the transport's own upkeep.
const partOfMessage = 1024

// linkTicks is how often, in the silence after which a link counts as cut, it is
// looked at.
const linkTicks = 8

// linkPulse returns the pulse of a link into this worker.
func (s *session) linkPulse() *pulse {
	now := time.Duration(s.worker.clock())
	return &pulse{interval: s.linkSilence() / linkTicks, silence: s.linkSilence(), heard: now, ticked: now}
}

// silent reports that nothing has come for too long, neither a beat nor a good
// part of a message.
func (r *reception) silent(now time.Duration) bool {
	came, bytes := time.Duration(r.came.Load()), r.lane.BytesRead()
	if bytes-r.before > partOfMessage {
		came = now
	}
	if came > r.pulse.heard {
		r.before = bytes
		r.pulse.answer(came)
	}
	return r.pulse.tick(now)
}

// pump queues the passes of a lane until it ends; the error is never nil.
func (r *reception) pump() error {
	s := r.session
	size := func(p *wire.Pass) (int, error) { return s.checkPass(p, r.device) }
	for {
		pass, values, err := r.lane.Receive(size, s.spares.take())
		if err != nil {
			return err
		}
		r.came.Store(s.worker.clock())
		if pass.GetBeat() || len(values) == 0 {
			s.spares.give(values)
			values = nil // who gets none tells it from that
		}
		if pass.GetBeat() {
			continue
		}
		here := s.load.GetDeviceIndex()
		pass.Spans = append(pass.Spans, &wire.Span{
			Stage: pass.GetStage(), Device: r.device, To: here, StartNs: pass.GetSentNs(), BusyNs: pass.GetBusyNs(),
			EndNs: s.worker.clock(), Bytes: s.passBytes(pass, values),
		})
		if err := s.take(arrival{pass, values}); err != nil {
			return err
		}
	}
}

// take queues a pass, or hands on the tokens of one that is back: they need not wait
// for what is computed.
func (s *session) take(a arrival) error {
	if int(a.pass.GetStage()) == len(s.shards) && a.values == nil {
		return s.returned(a)
	}
	return s.queue(a)
}

// passBytes returns what a pass carries: its values, or the tokens that return.
func (s *session) passBytes(p *wire.Pass, values []float32) int64 {
	if values == nil {
		return 4 * int64(len(p.GetSequences()))
	}
	return 4 * int64(len(values))
}

// enter queues a pass that the coordinator starts.
func (s *session) enter(p *wire.Pass) error {
	if !s.isOpen() {
		return errors.New("pass before the load is done")
	}
	if p.GetStage() != 0 || !s.own(0) {
		return errors.New("pass does not start at the source")
	}
	for _, q := range p.GetSequences() {
		if len(q.GetTokens()) != int(q.GetNew()) {
			return fmt.Errorf("sequence %d has %d tokens for %d positions", q.GetRequest(), len(q.GetTokens()), q.GetNew())
		}
	}
	if err := s.checkSequences(p); err != nil {
		return err
	}
	s.onward.allow(p)
	return s.queue(arrival{pass: p})
}

// checkPass says how many values a pass from a device comes with, or why it is
// not wanted.
func (s *session) checkPass(p *wire.Pass, from uint32) (int, error) {
	if p.GetBeat() {
		return s.checkBeat(p)
	}
	stage, stages := int(p.GetStage()), s.load.GetStages()
	switch {
	case stage < 1 || stage > len(stages) || s.next(stage) != s.load.GetDeviceIndex():
		return 0, fmt.Errorf("pass for stage %d, which is not here", stage)
	case stages[stage-1].GetDevice() != from:
		return 0, fmt.Errorf("pass for stage %d from device %d, which has not the stage before", stage, from)
	}
	if err := s.checkSequences(p); err != nil {
		return 0, err
	}
	if stage < len(stages) {
		return s.activations(p), nil
	}
	if s.load.GetReturnLogits() {
		return len(p.GetSequences()) * s.config.Vocab, nil
	}
	return 0, s.checkTokens(p)
}

// checkBeat says how many values come with a beat: those that warm the link up.
func (s *session) checkBeat(p *wire.Pass) (int, error) {
	if len(p.GetSequences()) == 0 {
		return 0, nil
	}
	return s.activations(p), s.checkSequences(p)
}

// activations returns how many values a pass carries from stage to stage.
func (s *session) activations(p *wire.Pass) int {
	rows := 0
	for _, q := range p.GetSequences() {
		rows += int(q.GetNew())
	}
	return rows * s.config.Dim
}

// checkSequences holds a pass to the sizes that the load announced.
func (s *session) checkSequences(p *wire.Pass) error {
	l := s.load
	if n := len(p.GetSequences()); n < 1 || n > int(l.GetMicroBatch()) {
		return fmt.Errorf("pass of %d sequences: want 1 to %d", n, l.GetMicroBatch())
	}
	for _, q := range p.GetSequences() {
		switch {
		case q.GetNew() < 1 || int(q.GetNew()) > s.mostNew():
			return fmt.Errorf("sequence %d adds %d positions: want 1 to %d", q.GetRequest(), q.GetNew(), s.mostNew())
		case q.GetReserve() > l.GetPositions():
			return fmt.Errorf("sequence %d reserves %d positions: want at most %d", q.GetRequest(), q.GetReserve(), l.GetPositions())
		}
		if err := checkSampling(q, s.config.Vocab); err != nil {
			return err
		}
	}
	return nil
}

// mostNew is how many positions a pass may add to a sequence.
func (s *session) mostNew() int { return int(max(s.load.GetChunk(), s.load.GetPromptTokens())) }

// checkTokens makes sure that every sequence comes back with a token.
func (s *session) checkTokens(p *wire.Pass) error {
	for _, q := range p.GetSequences() {
		if len(q.GetTokens()) != 1 || int(q.GetTokens()[0]) >= s.config.Vocab {
			return fmt.Errorf("sequence %d comes back with %d tokens: want 1 of the vocabulary", q.GetRequest(), len(q.GetTokens()))
		}
	}
	return nil
}
