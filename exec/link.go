package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// closeTimeout is how long a link waits for the other side's goodbye.
const closeTimeout = 500 * time.Millisecond

// A link carries passes to another worker, in order.
type link struct {
	session *session
	peer    *wire.Peer
	lane    *wire.Lane
	ended   chan struct{} // closed when the other side has answered, or never will
	outbox  chan outgoing
	shape   *shape       // nil: the link is as it is
	sending sync.Mutex   // over the lane
	carried atomic.Bool  // something, since the last look of beat
	queued  atomic.Int32 // messages in the outbox, and the one that is taken from it
}

// An outgoing message waits until others are sent, or on a shaped link until its
// time has come. Its values are a copy.
type outgoing struct {
	pass   *wire.Pass
	values []float32
	slot   slot
	id     int64 // of its offer
}

// connect opens the links to the devices the worker sends to, and begins to
// compute.
func (s *session) connect(peers []*wire.Peer) error {
	select {
	case <-s.opened:
	case <-s.ctx.Done():
		return nil
	}
	for _, p := range peers {
		l, err := s.openLink(p)
		if err != nil {
			return &lost{device: p.GetDevice(), err: fmt.Errorf("no connection to %s: %w", p.GetAddress(), err)}
		}
		if err := l.warmUp(); err != nil {
			return l.broken(err)
		}
		s.linking.Lock()
		s.links[p.GetDevice()] = l
		s.linking.Unlock()
		s.goTask(l.run)
		s.goTask(l.beat)
	}
	s.goTask(s.compute)
	s.goTask(s.tellBacks)
	return s.send(&wire.Event{Kind: &wire.Event_Connected{Connected: &wire.Connected{}}})
}

// openLink waits until the other side has taken the lane.
func (s *session) openLink(p *wire.Peer) (*link, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.linkSilence())
	defer cancel()
	lane, err := wire.OpenLane(ctx, p.GetAddress(), p.GetCertificate(), s.worker.options.Credentials, s.worker.dial,
		&wire.Greeting{Session: s.load.GetSession(), Device: s.load.GetDeviceIndex()})
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	l := &link{
		session: s, peer: p, lane: lane, ended: make(chan struct{}),
		outbox: make(chan outgoing, s.load.GetInFlight()), shape: newShape(p, s.worker.clock),
	}
	s.goTask(l.heed)
	// The lane outlives the session a little, so that it can end with a goodbye; a
	// sender that waits for a peer which reads nothing is freed then.
	context.AfterFunc(s.ctx, func() { time.AfterFunc(closeTimeout, l.close) })
	return l, nil
}

// heed waits for the other side's last word, which comes in answer to a goodbye or
// says what is wrong.
func (l *link) heed() error {
	err := l.lane.Await()
	close(l.ended)
	if l.session.ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("the other side ended the lane")
	}
	return l.broken(err)
}

func (l *link) close() { _ = l.lane.Close() }

// inlineBytes bounds the values of a pass that is sent by who has computed it, at
// once: the system takes them without waiting, unless it has no room for much more.
const inlineBytes = 64 << 10

// send sends a pass, or queues it with a copy of its values.
func (l *link) send(p *wire.Pass, values []float32) error {
	p.Sender = l.session.load.GetDeviceIndex()
	if l.shape == nil && 4*len(values) <= inlineBytes && l.queued.Load() == 0 && l.sending.TryLock() {
		defer l.sending.Unlock()
		p.SentNs = l.session.worker.clock()
		return l.checked(l.write(p, values))
	}
	o := outgoing{pass: p}
	if values != nil {
		o.values = append(l.session.spares.take(), values...)
	}
	if err := l.schedule(&o); err != nil {
		return err
	}
	l.queued.Add(1)
	select {
	case l.outbox <- o:
	case <-l.session.ctx.Done():
	}
	return nil
}

// schedule gives a message of a shaped link its time, or asks for it.
func (l *link) schedule(o *outgoing) error {
	if l.shape == nil {
		return nil
	}
	bytes := l.session.passBytes(o.pass, o.values)
	if !l.peer.GetArbitrated() {
		o.slot = l.shape.take(bytes)
		return nil
	}
	offer := l.shape.offer(bytes)
	o.id = offer.GetId()
	return l.session.send(&wire.Event{Kind: &wire.Event_Offer{Offer: offer}})
}

// checked says that the peer is gone if sending failed, unless the session has ended.
func (l *link) checked(err error) error {
	if err == nil || l.session.ctx.Err() != nil {
		return nil
	}
	return l.broken(err)
}

// warmUpBytes bounds what a link carries before the run.
const warmUpBytes = 256 << 10

// warmUp carries as much as the largest pass will, and then as little as the
// smallest, so that the first real ones find buffers and windows grown.
func (l *link) warmUp() error {
	s := l.session
	most := max(1, min(int(s.load.GetPromptTokens()), warmUpBytes/(4*s.config.Dim)))
	for _, rows := range []int{most, most, 1, 1} {
		p := &wire.Pass{Beat: true, Sequences: []*wire.Sequence{{New: uint32(rows)}}}
		for len(p.Sequences) < int(s.load.GetMicroBatch()) && (len(p.Sequences)+1)*rows <= warmUpBytes/(4*s.config.Dim) {
			p.Sequences = append(p.Sequences, p.Sequences[0])
		}
		if err := l.transmit(p, make([]float32, s.activations(p))); err != nil {
			return err
		}
	}
	return nil
}

// run sends the messages until the session ends.
func (l *link) run() error {
	for {
		select {
		case o := <-l.outbox:
			if err := l.deliver(o); err != nil {
				return l.checked(err)
			}
		case <-l.session.ctx.Done():
			l.goodbye()
			return nil
		}
	}
}

// beat shows that the link is there while it has nothing to carry.
func (l *link) beat() error {
	tick := time.NewTicker(l.session.linkSilence() / 6)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if l.carried.Swap(false) || l.shape.cut() {
				continue
			}
			if err := l.transmit(&wire.Pass{Beat: true}, nil); err != nil {
				return l.checked(err)
			}
			l.carried.Store(false)
		case <-l.session.ctx.Done():
			return nil
		}
	}
}

// broken says that the peer is gone.
func (l *link) broken(err error) error {
	l.session.awaitUnload()
	return &lost{device: l.peer.GetDevice(), err: fmt.Errorf("the connection to %s broke: %w", l.peer.GetAddress(), err)}
}

func (l *link) deliver(o outgoing) error {
	s := l.session
	o.pass.SentNs = s.worker.clock()
	if l.shape != nil {
		l.hold(&o)
	}
	err := l.transmit(o.pass, o.values)
	l.queued.Add(-1)
	s.spares.give(o.values)
	return err
}

// transmit sends a message, one at a time.
func (l *link) transmit(p *wire.Pass, values []float32) error {
	l.sending.Lock()
	defer l.sending.Unlock()
	if l.session.ctx.Err() != nil { // the lane may have ended with a goodbye
		return nil
	}
	return l.write(p, values)
}

func (l *link) write(p *wire.Pass, values []float32) error {
	l.carried.Store(true)
	return l.lane.Send(p, values)
}

// hold keeps a message back until it would have arrived over the topology's link.
func (l *link) hold(o *outgoing) {
	s := l.session
	if l.peer.GetArbitrated() {
		o.slot = l.shape.await(s.ctx, o.id)
	} else {
		sleep(s.ctx, time.Duration(o.slot.arrival-s.worker.clock()))
	}
	o.pass.SentNs, o.pass.BusyNs = o.slot.start, o.slot.free-o.slot.start
	if s.ctx.Err() == nil {
		l.shape.sent(s.worker.clock() - o.slot.arrival)
	}
}

// goodbye ends the lane in order, so that the other side does not take it for a
// failure.
func (l *link) goodbye() {
	l.sending.Lock()
	defer l.sending.Unlock()
	if errors.Is(context.Cause(l.session.ctx), errUnloaded) && l.lane.Goodbye() == nil {
		<-l.ended // or the lane is closed
	}
	l.close()
}
