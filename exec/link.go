package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// closeTimeout is how long a link waits for the other side's goodbye.
const closeTimeout = 500 * time.Millisecond

// A link carries passes to another worker, in order.
type link struct {
	session *session
	peer    *wire.Peer
	conn    *grpc.ClientConn
	stream  grpc.ClientStreamingClient[wire.Pass, wire.ForwardReply]
	cancel  context.CancelFunc // of the stream
	outbox  chan outgoing
	shape   *shape     // nil: the link is as it is
	sending sync.Mutex // over the stream
}

// An outgoing message of a shaped link is sent once its time has come.
type outgoing struct {
	message *wire.Message
	slot    slot
	id      int64 // of its offer
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
			return &lost{device: p.GetDevice(), err: fmt.Errorf("no connection to %s: %w", p.GetAddress(), plainError(err))}
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

func (s *session) openLink(p *wire.Peer) (*link, error) {
	conn, err := wire.Dial(p.GetAddress(), p.GetCertificate(), s.worker.options.Credentials, s.worker.dial)
	if err != nil {
		return nil, err
	}
	// The stream outlives the session's context, so that it can end with a goodbye.
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	l := &link{session: s, peer: p, conn: conn, cancel: cancel, outbox: make(chan outgoing, s.load.GetInFlight()), shape: newShape(p, s.worker.clock)}
	if err := l.open(ctx); err != nil {
		cancel()
		return nil, errors.Join(err, conn.Close())
	}
	return l, nil
}

// open waits until the other side has taken the stream.
func (l *link) open(ctx context.Context) error {
	defer context.AfterFunc(l.session.ctx, l.cancel)()
	timer := time.AfterFunc(l.session.linkSilence(), l.cancel)
	defer timer.Stop()
	stream, err := wire.NewWorkerClient(l.conn).Forward(l.session.outgoing(ctx))
	if err != nil {
		return err
	}
	l.stream = stream
	if header, err := stream.Header(); err != nil || header == nil {
		return errors.Join(err, streamError(stream))
	}
	return nil
}

// outgoing returns a context for calls to other workers of the session.
func (s *session) outgoing(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, sessionKey, s.load.GetSession(),
		senderKey, strconv.FormatUint(uint64(s.load.GetDeviceIndex()), 10))
}

// streamError returns what the other side ended a stream with.
func streamError(s grpc.ClientStream) error {
	err := s.RecvMsg(new(wire.ForwardReply))
	if err == nil || errors.Is(err, io.EOF) {
		return errors.New("the other side ended the stream")
	}
	return err
}

// send queues a pass with a copy of its values.
func (l *link) send(p *wire.Pass, values []float32) error {
	p.Sender = l.session.load.GetDeviceIndex()
	o := outgoing{message: wire.NewMessage(p, values)}
	if l.shape != nil {
		bytes := l.session.passBytes(p, values)
		if l.peer.GetArbitrated() {
			offer := l.shape.offer(bytes)
			o.id = offer.GetId()
			if err := l.session.send(&wire.Event{Kind: &wire.Event_Offer{Offer: offer}}); err != nil {
				return err
			}
		} else {
			o.slot = l.shape.take(bytes)
		}
	}
	select {
	case l.outbox <- o:
		return nil
	case <-l.session.ctx.Done():
		o.message.Free()
		return nil
	}
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
		if err := l.transmit(wire.NewMessage(p, make([]float32, s.activations(p)))); err != nil {
			return err
		}
	}
	return nil
}

// run sends the messages until the session ends.
func (l *link) run() error {
	defer l.cancel()
	for {
		select {
		case o := <-l.outbox:
			if err := l.deliver(o); err != nil {
				return l.broken(err)
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
			if l.shape.cut() {
				continue
			}
			if err := l.transmit(wire.NewMessage(&wire.Pass{Beat: true}, nil)); err != nil {
				return l.broken(err)
			}
		case <-l.session.ctx.Done():
			return nil
		}
	}
}

// broken says that the peer is gone, unless the session has ended.
func (l *link) broken(err error) error {
	l.session.awaitUnload()
	return &lost{device: l.peer.GetDevice(), err: fmt.Errorf("the connection to %s broke: %w", l.peer.GetAddress(), plainError(err))}
}

func (l *link) deliver(o outgoing) error {
	s := l.session
	o.message.Pass.SentNs = s.worker.clock()
	if l.shape != nil {
		l.hold(&o)
	}
	return l.transmit(o.message)
}

// transmit sends a message, one at a time.
func (l *link) transmit(m *wire.Message) error {
	s := l.session
	l.sending.Lock()
	defer l.sending.Unlock()
	if s.ctx.Err() != nil { // the stream may have ended with a goodbye
		m.Free()
		return nil
	}
	defer context.AfterFunc(s.ctx, l.cancelLater)()
	err := m.Send(l.stream)
	if errors.Is(err, io.EOF) {
		err = streamError(l.stream)
	}
	if s.ctx.Err() != nil {
		return nil
	}
	return err
}

// hold keeps a message back until it would have arrived over the topology's link.
func (l *link) hold(o *outgoing) {
	s := l.session
	if l.peer.GetArbitrated() {
		o.slot = l.shape.await(s.ctx, o.id)
	} else {
		sleep(s.ctx, time.Duration(o.slot.arrival-s.worker.clock()))
	}
	o.message.Pass.SentNs, o.message.Pass.BusyNs = o.slot.start, o.slot.free-o.slot.start
	if s.ctx.Err() == nil {
		l.shape.sent(s.worker.clock() - o.slot.arrival)
	}
}

// cancelLater frees a sender that waits for a peer which reads nothing.
func (l *link) cancelLater() { time.AfterFunc(closeTimeout, l.cancel) }

// goodbye ends the stream in order, so that the other side does not take it for
// a failure.
func (l *link) goodbye() {
	l.cancelLater()
	l.sending.Lock()
	defer l.sending.Unlock()
	if !errors.Is(context.Cause(l.session.ctx), errUnloaded) || l.stream.CloseSend() != nil {
		return
	}
	_ = l.stream.RecvMsg(new(wire.ForwardReply)) // its arrival is all that counts
}
