package exec

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

const (
	// grace is how long a failure waits for a better explanation.
	grace = 300 * time.Millisecond
	// stall is the longest a worker may take to read the next part of its weights.
	stall = time.Minute
	// unloadTimeout is how long workers have to say goodbye.
	unloadTimeout = 2 * time.Second
)

// An epoch is the time in which one plan is in force: a session with each worker
// that has a stage. It ends when any of them fails; the workers outlive it.
type epoch struct {
	cluster *cluster
	plan    *edgeshard.Plan
	session string
	chunk   int // positions of a sequence in one pass

	ctx    context.Context // its cause is why the epoch ended
	cancel context.CancelCauseFunc
	tasks  sync.WaitGroup

	seats  []*seat          // of members with stages
	source *seat            // the one that holds unit 0
	passes chan *wire.Pass  // back at the source
	loads  []edgeshard.Span // what loading took, by the coordinator's clock

	passed atomic.Int64 // when the last pass entered that has come back; 0: none has

	mu      sync.Mutex
	verdict *failure
	failed  time.Duration // when the first failure was told of, by the coordinator's clock
}

// A blame says how much of a failure is the device's own; the least is believed.
type blame int

const (
	gone     blame = iota // the process ended, or has fallen silent
	parted                // its stream broke: perhaps its process is about to be seen to have ended
	reported              // it failed, and said why
	hearsay               // it says that it has lost another one
)

// A failure ends an epoch.
type failure struct {
	*DeviceError
	blame  blame
	device int
	peer   int           // for hearsay: the device lost; else -1
	since  time.Duration // then: when it was last heard, by the coordinator's clock; 0: not known
	need   *wire.Need    // where memory lacked
}

func (f *failure) Unwrap() error { return f.DeviceError }

// newEpoch makes a seat for every device that has a stage.
func newEpoch(ctx context.Context, c *cluster, p *edgeshard.Plan) *epoch {
	e := &epoch{cluster: c, plan: p, session: rand.Text(), chunk: chunk(p), passes: make(chan *wire.Pass, 1)}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	for _, s := range p.Stages {
		if e.seat(s.Device) == nil {
			e.seats = append(e.seats, newSeat(e, c.member(s.Device)))
		}
	}
	e.source = e.seats[0]
	c.mu.Lock()
	c.epoch = e
	c.mu.Unlock()
	return e
}

// seat returns the seat of a device, nil if it has none.
func (e *epoch) seat(device int) *seat {
	for _, s := range e.seats {
		if s.device == device {
			return s
		}
	}
	return nil
}

// lose ends the epoch for the loss of a member, if it is one of its own.
func (e *epoch) lose(m *member, b blame, err error) {
	if e.seat(m.device) != nil {
		e.fail(&failure{DeviceError: &DeviceError{Device: m.name, Err: err}, blame: b, device: m.device, peer: -1})
	}
}

// fail ends the epoch for a failure, or keeps that while a better one may come.
func (e *epoch) fail(f *failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.verdict == nil {
		e.failed = time.Duration(e.cluster.now())
		time.AfterFunc(grace, e.judge)
		e.nudge() // who lives answers within the grace
	}
	if e.verdict == nil || f.blame < e.verdict.blame {
		e.verdict = f
	}
	if f.blame == gone {
		e.cancel(e.verdict)
	}
}

// proof returns from when on a beat must have left whose answer shows that a worker
// lives: when the first failure was told of, since what is heard just then may have
// been on the way.
func (e *epoch) proof() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.verdict == nil {
		return time.Duration(e.cluster.now())
	}
	return e.failed
}

// nudge has all workers of the epoch asked whether they live.
func (e *epoch) nudge() {
	for _, s := range e.seats {
		s.nudge()
	}
}

func (e *epoch) judge() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cancel(e.verdict)
}

// start brings all workers to the point where passes may begin.
func (e *epoch) start() error {
	for _, step := range []func(context.Context, *seat) error{reach, loadShards, connect, ready} {
		group, ctx := errgroup.WithContext(e.ctx)
		for _, s := range e.seats {
			group.Go(func() error {
				if err := step(ctx, s); err != nil {
					return e.cause(s, err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// cause explains an error of a step on a seat: by the epoch's end, if it has
// ended or is about to.
func (e *epoch) cause(s *seat, err error) error {
	e.mu.Lock()
	failing := e.verdict != nil
	e.mu.Unlock()
	if failing {
		<-e.ctx.Done() // judge sees to it
	}
	if e.ctx.Err() != nil {
		return context.Cause(e.ctx)
	}
	blamed := &DeviceError{Device: s.name, Err: err}
	if own := (*orderError)(nil); errors.As(err, &own) {
		return blamed // another plan would not help
	}
	return &failure{DeviceError: blamed, blame: reported, device: s.device, peer: -1}
}

// An orderError says that the coordinator does not know what to ask of a worker,
// which is no failure of the worker's.
type orderError struct{ error }

func (e *orderError) Unwrap() error { return e.error }

// reach starts or finds a member's worker.
func reach(ctx context.Context, s *seat) error { return s.reach(ctx) }

// loadShards has a member load its stages.
func loadShards(ctx context.Context, s *seat) error {
	e, c := s.epoch, s.cluster
	load, err := e.load(s)
	if err == nil {
		err = s.describe(ctx, load)
	}
	if err != nil {
		return &orderError{err}
	}
	begin := c.now()
	if err := s.begin(e.ctx, load); err != nil {
		return err
	}
	supplied := sync.OnceFunc(func() { e.tasks.Go(s.supply) })
	reply, err := s.await(ctx, stall, func(l *wire.Loading) {
		state := Loading
		if l.GetFetching() {
			state = Fetching
			supplied()
		}
		c.tell(Progress{Device: s.name, State: state, Bytes: l.GetBytes(), Total: l.GetTotal()})
	})
	if err != nil {
		return err
	}
	loaded := reply.GetLoaded()
	c.tell(Progress{Device: s.name, State: Loading, Bytes: loaded.GetWeightBytes(), Total: loaded.GetWeightBytes()})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loads = append(e.loads, edgeshard.Span{
		What: edgeshard.Load, Request: -1, Stage: -1, Device: s.device, To: -1, Bytes: loaded.GetWeightBytes() - loaded.GetKeptBytes(),
		Start: time.Duration(begin), End: time.Duration(begin + loaded.GetElapsedNs()),
	})
	return nil
}

func connect(ctx context.Context, s *seat) error {
	peers, err := s.epoch.peers(s)
	if err != nil {
		return err
	}
	if err := s.send(&wire.Command{Kind: &wire.Command_Connect{Connect: &wire.Connect{Peers: peers}}}); err != nil {
		return err
	}
	_, err = s.await(ctx, 2*s.cluster.timeout, nil)
	return err
}

func ready(_ context.Context, s *seat) error {
	s.cluster.tell(Progress{Device: s.name, State: Ready})
	return nil
}

// unload asks all workers to free what they hold and tells obs how much it was.
func (e *epoch) unload(obs edgeshard.Observer, end time.Duration) {
	ctx, cancel := context.WithTimeout(e.ctx, unloadTimeout)
	defer cancel()
	for _, s := range e.seats {
		if err := s.send(&wire.Command{Kind: &wire.Command_Unload{Unload: &wire.Unload{}}}); err != nil {
			e.cluster.log.Warn("unload", "device", s.name, "err", err)
		}
	}
	said := make(map[int]*wire.Imitation)
	for _, s := range e.seats {
		reply, err := s.await(ctx, unloadTimeout, nil)
		if err != nil {
			e.cluster.log.Warn("unload", "device", s.name, "err", err)
			continue
		}
		obs.Span(edgeshard.Span{
			What: edgeshard.Memory, Request: -1, Stage: -1, Device: s.device, To: -1,
			Bytes: reply.GetUnloaded().GetPeakBytes(), End: end,
		})
		said[s.device] = reply.GetUnloaded().GetImitation()
	}
	if o := e.cluster.options; o.Imitated != nil && o.Emulate {
		o.Imitated(e.imitation(said))
	}
}

// close cuts off what is left of the sessions.
func (e *epoch) close() {
	e.cluster.mu.Lock()
	e.cluster.epoch = nil
	e.cluster.mu.Unlock()
	e.cancel(errors.New("the epoch is over"))
	e.tasks.Wait()
	e.cluster.arbiter.drop()
}
