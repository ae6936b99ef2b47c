package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// A session is a worker's service to one coordinator: it lasts as long as the
// coordinator's stream and frees everything when it ends.
type session struct {
	worker *Worker
	load   *wire.Load
	ctx    context.Context // of the session; its cause is why it ended
	end    context.CancelCauseFunc
	tasks  sync.WaitGroup // everything that uses the shards or the stream

	sending sync.Mutex
	stream  grpc.BidiStreamingServer[wire.Command, wire.Event]

	sources chan weights.Source // of weights that the worker lacks
	fetched chan struct{}       // closed when it has them
	unpin   func()              // lets go of them in the cache; nil: there are none
	sharing sync.Mutex
	library *weights.Library // the worker's own copy, as other workers may want it

	store      *store
	checkpoint models.Checkpoint // the store's
	config     models.Config
	shards     []*stageShard    // by stage; nil where another device has it
	opened     chan struct{}    // closed when the shards are there
	connecting bool             // a Connect has come
	keeps      bool             // units outlive an orderly end
	links      map[uint32]*link // by device
	inbox      chan arrival     // passes to compute, in order of arrival
	backs      chan *wire.Pass  // passes that are back, to be told of
	onward     onward
	spares     spares
	peak       peak       // of memory
	need       *wire.Need // of it, with all sequences there may be
	limit      limit
	tally      tally      // of work
	linking    sync.Mutex // over links, while connecting
	pace       pace
	idleness   idleness
	habits     habits
}

// An arrival is a pass that has come, with its values.
type arrival struct {
	pass   *wire.Pass
	values []float32
}

// errUnloaded ends a session that its coordinator is done with.
var errUnloaded = errors.New("unloaded")

// unloadGrace is how long after a peer's the word to unload may come.
const unloadGrace = 100 * time.Millisecond

// awaitUnload gives the session's own end time to come first: where all workers
// are told to unload, a connection may break before its other end is told, whose
// report would be lost with the session.
func (s *session) awaitUnload() {
	select {
	case <-time.After(unloadGrace):
	case <-s.ctx.Done():
	}
}

// lost says that a peer is gone.
type lost struct {
	device  uint32
	err     error
	silence time.Duration // until then; 0: there was none
}

func (l *lost) Error() string { return l.err.Error() }

// Session serves one coordinator.
func (w *Worker) Session(stream grpc.BidiStreamingServer[wire.Command, wire.Event]) error {
	if err := w.onlyCoordinator(stream.Context()); err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(stream.Context())
	defer end(nil)
	s := &session{worker: w, stream: stream, ctx: ctx, end: end, tally: tally{began: time.Now()}, opened: make(chan struct{}), links: make(map[uint32]*link),
		sources: make(chan weights.Source), fetched: make(chan struct{})}
	commands := make(chan *wire.Command)
	go s.listen(commands)
	if err := s.accept(commands); err != nil {
		return err
	}
	log := s.log()
	log.Info("session begins", "device", s.load.GetDevice(), "model", s.load.GetModel())
	s.obey(commands)
	cause := context.Cause(ctx)
	s.close()
	w.free() // before the coordinator knows, so that it finds the worker free
	log.Info("session ends", "why", cause)
	return s.report(cause)
}

// listen passes commands on until the stream or the session ends.
func (s *session) listen(commands chan<- *wire.Command) {
	for {
		c, err := s.stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the coordinator has gone")
			}
			s.end(err)
			return
		}
		select {
		case commands <- c:
		case <-s.ctx.Done():
			return
		}
	}
}

// accept waits for the Load that opens a session and claims the worker for it.
func (s *session) accept(commands <-chan *wire.Command) error {
	timer := time.NewTimer(timeout(s.worker.options.Timeout))
	defer timer.Stop()
	select {
	case c := <-commands:
		s.load = c.GetLoad()
	case <-timer.C:
		return status.Error(codes.DeadlineExceeded, "no load came")
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
	if err := checkLoad(s.load); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	s.inbox = make(chan arrival, s.load.GetInFlight()+1)
	s.backs = make(chan *wire.Pass, 2*(s.load.GetInFlight()+1)) // half of them before the coordinator is to take part again
	s.spares = make(spares, 2)
	s.shards = make([]*stageShard, len(s.load.GetStages()))
	if err := s.pace.set(&wire.Pace{Slowdown: s.load.GetSlowdown(), PrefillSlowdown: s.load.GetPrefillSlowdown()}); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return s.worker.claim(s)
}

// obey does what the coordinator says until the session ends, which it also
// does when the coordinator falls silent.
func (s *session) obey(commands <-chan *wire.Command) {
	s.goTask(s.open)
	silence := time.Duration(s.load.GetTimeoutNs())
	lease := time.NewTimer(silence)
	defer lease.Stop()
	for {
		select {
		case c := <-commands:
			lease.Reset(silence)
			if err := s.command(c); err != nil {
				s.end(err)
			}
		case <-lease.C:
			if heard := s.worker.silence(s.load.GetCoordinator()); heard < silence {
				lease.Reset(silence - heard)
				continue
			}
			s.end(fmt.Errorf("no word from the coordinator for %s", silence))
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *session) command(c *wire.Command) error {
	switch k := c.GetKind().(type) {
	case *wire.Command_Connect:
		if s.connecting {
			return errors.New("connected twice")
		}
		s.connecting = true
		s.goTask(func() error { return s.connect(k.Connect.GetPeers()) })
		return nil
	case *wire.Command_Pass:
		return s.enter(k.Pass)
	case *wire.Command_Halt:
		s.onward.halt()
		return nil
	case *wire.Command_Expect:
		return s.expect(k.Expect)
	case *wire.Command_Pace:
		return s.repace(k.Pace)
	case *wire.Command_Unload:
		s.keeps = k.Unload.GetKeep()
		return errUnloaded
	}
	return errors.New("unexpected command")
}

// log returns the worker's log, with the session's name.
func (s *session) log() *slog.Logger {
	return logger(s.worker.options.Log).With("session", s.load.GetSession()[:8])
}

// goTask runs f beside the session, which ends if f fails.
func (s *session) goTask(f func() error) {
	s.tasks.Go(func() {
		if err := f(); err != nil {
			s.end(err)
		}
	})
}

// send tells the coordinator of an event.
func (s *session) send(e *wire.Event) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	return s.stream.Send(e)
}

// close frees what the session holds, once nothing uses it any more.
func (s *session) close() {
	s.tasks.Wait()
	for _, l := range s.links {
		l.close()
	}
	for _, sh := range s.shards {
		if sh != nil {
			_ = sh.shard.Close()
		}
	}
	s.setLibrary(nil)
	s.limit.free()
	s.worker.computing.Store(nil)
	switch cause := context.Cause(s.ctx); {
	case s.store == nil:
	case errors.Is(cause, errUnloaded) && !s.keeps:
		s.worker.drop(s.store)
	default:
		s.worker.keep(s.store, time.Duration(s.load.GetTimeoutNs()))
	}
}

// report tells the coordinator, if it is there, how the session ended.
func (s *session) report(cause error) error {
	if errors.Is(cause, errUnloaded) {
		return s.send(&wire.Event{Kind: &wire.Event_Unloaded{Unloaded: &wire.Unloaded{PeakBytes: s.peak.bytes(), Imitation: s.imitation()}}})
	}
	f := &wire.Failure{Reason: cause.Error()}
	var l *lost
	var short *shortage
	switch {
	case errors.As(cause, &l):
		f.Peer, f.SilenceNs = l.device+1, int64(l.silence)
	case errors.As(cause, &short):
		f.Need = short.need
	case errors.Is(cause, syscall.ENOMEM):
		f.Need = s.had()
	}
	return s.send(&wire.Event{Kind: &wire.Event_Failure{Failure: f}})
}
