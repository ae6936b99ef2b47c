package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A seat is a member's session in an epoch.
type seat struct {
	*member
	epoch   *epoch
	sending sync.Mutex
	stream  grpc.BidiStreamingClient[wire.Command, wire.Event]
	order   *wire.Load       // what it is to load
	replies chan *wire.Event // Loading, Loaded, Connected, Unloaded
}

func newSeat(e *epoch, m *member) *seat {
	return &seat{member: m, epoch: e, replies: make(chan *wire.Event, 4)}
}

// begin opens the session and listens to it from then on.
func (s *seat) begin(ctx context.Context, load *wire.Load) error {
	stream, err := wire.NewWorkerClient(s.conn).Session(ctx)
	if err != nil {
		return fmt.Errorf("worker at %s: %w", s.address, plainError(err))
	}
	s.stream = stream
	s.epoch.tasks.Go(s.listen)
	return s.send(&wire.Command{Kind: &wire.Command_Load{Load: load}})
}

func (s *seat) fail(b blame, err error) {
	s.epoch.fail(&failure{DeviceError: &DeviceError{Device: s.name, Err: err}, blame: b, device: s.device, peer: -1})
}

func (s *seat) send(c *wire.Command) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	if err := s.stream.Send(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("worker at %s: %w", s.address, plainError(err))
	}
	return nil // after io.EOF listen gets the reason
}

// listen takes what the worker says until it, or the stream, ends the session.
func (s *seat) listen() {
	for {
		e, err := s.stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the worker ended the session")
			}
			s.fail(parted, fmt.Errorf("lost worker at %s: %w", s.address, plainError(err)))
			return
		}
		s.hear(e)
		if e.GetUnloaded() != nil || e.GetFailure() != nil {
			return // nothing follows
		}
	}
}

func (s *seat) hear(e *wire.Event) {
	switch k := e.GetKind().(type) {
	case *wire.Event_Pass:
		select {
		case s.epoch.passes <- k.Pass:
		case <-s.epoch.ctx.Done():
		}
	case *wire.Event_Offer:
		if err := s.cluster.arbiter.offer(s, k.Offer); err != nil {
			s.fail(reported, err)
		}
	case *wire.Event_Failure:
		s.failed(k.Failure)
	default:
		select {
		case s.replies <- e:
		case <-s.epoch.ctx.Done():
		}
	}
}

// failed takes a worker's word on why it ended the session.
func (s *seat) failed(w *wire.Failure) {
	f := &failure{DeviceError: &DeviceError{Device: s.name}, blame: reported, device: s.device, peer: -1, need: w.GetNeed()}
	switch n := f.need; {
	case n != nil:
		oom := &edgeshard.OutOfMemory{Device: s.name, Need: needBytes(n), Budget: n.GetBudget()}
		what := "worker refuses its shards"
		if n.GetRunning() {
			what = "worker got no more memory (" + w.GetReason() + ")"
		}
		f.Err = fmt.Errorf("%s: weights %d + KV caches %d + workspace %d + runtime %d bytes: %w",
			what, n.GetWeights(), n.GetKvCaches(), n.GetWorkspace(), n.GetOverhead(), oom)
	case w.GetPeer() > 0:
		f.blame, f.peer = hearsay, int(w.GetPeer()-1)
		if w.GetSilenceNs() > 0 {
			f.since = time.Duration(s.cluster.now() - w.GetSilenceNs())
		}
		f.Err = fmt.Errorf("lost device %s: %s", s.cluster.deviceName(w.GetPeer()-1), w.GetReason())
	default:
		f.Err = errors.New(w.GetReason())
	}
	s.epoch.fail(f)
}

// await returns the worker's next reply. It gives up when within has passed
// since the last sign of progress, which progress is told.
func (s *seat) await(ctx context.Context, within time.Duration, progress func(*wire.Loading)) (*wire.Event, error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case e := <-s.replies:
			l := e.GetLoading()
			if l == nil {
				return e, nil
			}
			progress(l)
			timer.Reset(within)
		case <-timer.C:
			return nil, fmt.Errorf("worker at %s: no progress for %s", s.address, within)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
