package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A member is a device's worker, as the coordinator sees it.
type member struct {
	cluster     *cluster
	device      int
	name        string
	address     string
	certificate string // the name it must show
	local       *localWorker
	order       *wire.Load // what it is to load

	conn    *grpc.ClientConn
	sending sync.Mutex
	stream  grpc.BidiStreamingClient[wire.Command, wire.Event]
	silence *time.Timer // fires when the worker has said nothing for too long
	clock   clock
	beats   chan struct{}    // a beat has been answered
	replies chan *wire.Event // Loading, Loaded, Connected, Unloaded
}

// A DeviceError says which device a run failed on.
type DeviceError struct {
	Device string
	Err    error
}

func (e *DeviceError) Error() string { return "device " + e.Device + ": " + e.Err.Error() }

func (e *DeviceError) Unwrap() error { return e.Err }

// A blame says how much of a failure is the device's own; the least is believed.
type blame int

const (
	gone     blame = iota // the process ended, or has fallen silent
	parted                // its stream broke: perhaps its process is about to be seen to have ended
	reported              // it failed, and said why
	hearsay               // it says that it has lost another one
)

// hello makes sure that a worker is there and speaks the same protocol.
func (m *member) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.cluster.timeout)
	defer cancel()
	h, err := wire.NewWorkerClient(m.conn).Hello(ctx, &wire.HelloRequest{Protocol: wire.Protocol})
	if err != nil {
		return fmt.Errorf("worker at %s: %w", m.address, plainError(err))
	}
	m.cluster.log.Info("worker", "device", m.name, "address", m.address, "name", h.GetName(), "version", h.GetVersion(),
		"kernel", h.GetKernel(), "threads", h.GetThreads())
	return nil
}

// plainError drops the words that gRPC puts around an error.
func plainError(err error) error {
	if s, ok := status.FromError(err); ok {
		return errors.New(s.Message())
	}
	return err
}

// begin opens the session and watches over it from then on.
func (m *member) begin(ctx context.Context, load *wire.Load) error {
	stream, err := wire.NewWorkerClient(m.conn).Session(ctx)
	if err != nil {
		return fmt.Errorf("worker at %s: %w", m.address, plainError(err))
	}
	m.stream = stream
	m.silence = time.AfterFunc(m.cluster.timeout, m.silent)
	m.cluster.tasks.Go(m.listen)
	m.cluster.tasks.Go(func() { m.keepAlive(ctx) })
	return m.send(&wire.Command{Kind: &wire.Command_Load{Load: load}})
}

func (m *member) silent() {
	m.fail(gone, fmt.Errorf("worker at %s gave no sign of life for %s: it is frozen, overloaded or cut off", m.address, m.cluster.timeout))
}

func (m *member) fail(b blame, err error) {
	m.cluster.fail(b, &DeviceError{Device: m.name, Err: err})
}

func (m *member) send(c *wire.Command) error {
	m.sending.Lock()
	defer m.sending.Unlock()
	if err := m.stream.Send(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("worker at %s: %w", m.address, plainError(err))
	}
	return nil // after io.EOF listen gets the reason
}

// listen takes what the worker says until it, or the stream, ends the session.
func (m *member) listen() {
	defer m.silence.Stop()
	for {
		e, err := m.stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the worker ended the session")
			}
			m.fail(parted, fmt.Errorf("lost worker at %s: %w", m.address, plainError(err)))
			return
		}
		m.silence.Reset(m.cluster.timeout)
		m.hear(e)
		if e.GetUnloaded() != nil || e.GetFailure() != nil {
			return // nothing follows
		}
	}
}

func (m *member) hear(e *wire.Event) {
	switch k := e.GetKind().(type) {
	case *wire.Event_Beat:
		m.clock.add(k.Beat.GetSentNs(), m.cluster.now(), k.Beat.GetClockNs())
		select {
		case m.beats <- struct{}{}:
		default:
		}
	case *wire.Event_Pass:
		select {
		case m.cluster.passes <- k.Pass:
		case <-m.cluster.ctx.Done():
		}
	case *wire.Event_Offer:
		if err := m.cluster.arbiter.offer(m, k.Offer); err != nil {
			m.fail(reported, err)
		}
	case *wire.Event_Failure:
		m.failed(k.Failure)
	default:
		select {
		case m.replies <- e:
		case <-m.cluster.ctx.Done():
		}
	}
}

// failed takes a worker's word on why it ended the session.
func (m *member) failed(f *wire.Failure) {
	switch n := f.GetNeed(); {
	case n != nil:
		oom := &edgeshard.OutOfMemory{Device: m.name, Need: needBytes(n), Budget: n.GetBudget()}
		m.fail(reported, fmt.Errorf("worker refuses its shards: weights %d + KV caches %d + workspace %d + runtime %d bytes: %w",
			n.GetWeights(), n.GetKvCaches(), n.GetWorkspace(), n.GetOverhead(), oom))
	case f.GetPeer() > 0:
		m.fail(hearsay, fmt.Errorf("lost device %s: %s", m.cluster.deviceName(f.GetPeer()-1), f.GetReason()))
	default:
		m.fail(reported, errors.New(f.GetReason()))
	}
}

// keepAlive sends beats until ctx ends.
func (m *member) keepAlive(ctx context.Context) {
	tick := time.NewTicker(m.cluster.timeout / 6)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if m.beat() != nil {
				return // listen gets the reason
			}
		case <-ctx.Done():
			return
		}
	}
}

func (m *member) beat() error {
	return m.send(&wire.Command{Kind: &wire.Command_Beat{Beat: &wire.Beat{SentNs: m.cluster.now()}}})
}

// synchronise reads the worker's clock several times.
func (m *member) synchronise(ctx context.Context) error {
	for range clockSamples {
		if err := m.beat(); err != nil {
			return err
		}
		select {
		case <-m.beats:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	_, uncertainty := m.clock.offset()
	m.cluster.log.Info("clock", "device", m.name, "uncertainty", time.Duration(uncertainty))
	return nil
}

// await returns the worker's next reply. It gives up when within has passed
// since the last sign of progress, which progress is told.
func (m *member) await(ctx context.Context, within time.Duration, progress func(*wire.Loading)) (*wire.Event, error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case e := <-m.replies:
			l := e.GetLoading()
			if l == nil {
				return e, nil
			}
			progress(l)
			timer.Reset(within)
		case <-timer.C:
			return nil, fmt.Errorf("worker at %s: no progress for %s", m.address, within)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
