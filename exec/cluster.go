package exec

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
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

// A cluster is the workers of a run.
type cluster struct {
	options *Options
	plan    *edgeshard.Plan
	session string
	timeout time.Duration
	log     *slog.Logger
	started time.Time // the zero of the coordinator's clock

	ctx    context.Context // of the run; its cause is why it ended
	cancel context.CancelCauseFunc
	tasks  sync.WaitGroup

	security   security
	shelf      shelf
	memory     *memoryNetwork
	listenHost string
	allLocal   bool             // no device has an address
	members    []*member        // those with stages
	source     *member          // the one that holds unit 0
	passes     chan *wire.Pass  // back at the source
	loads      []edgeshard.Span // what loading took, before the run's start
	arbiter    *arbiter         // of links; nil without a scenario

	mu       sync.Mutex
	progress sync.Mutex
	verdict  *DeviceError
	blame    blame
}

func newCluster(ctx context.Context, o *Options, p *edgeshard.Plan) (*cluster, error) {
	c := &cluster{
		options: o, plan: p, session: rand.Text(), timeout: timeout(o.Timeout), log: logger(o.Log),
		shelf:   shelf{ref: cmp.Or(o.Model, p.Model.Ref), cache: o.Cache},
		started: time.Now(), memory: newMemoryNetwork(), passes: make(chan *wire.Pass, 1),
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.enlist()
	if err := c.checkAddresses(); err != nil {
		return nil, err
	}
	var err error
	if c.security, err = newSecurity(o, c.allLocal); err != nil {
		return nil, err
	}
	c.arbiter, err = newArbiter(c)
	return c, err
}

// enlist makes a member of every device that has a stage.
func (c *cluster) enlist() {
	byDevice := make(map[int]*member)
	for _, s := range c.plan.Stages {
		if byDevice[s.Device] != nil {
			continue
		}
		d := &c.plan.Topology.Devices[s.Device]
		m := &member{
			cluster: c, device: s.Device, name: d.Name, address: d.Address, certificate: d.Name,
			beats: make(chan struct{}, 1), replies: make(chan *wire.Event, 4),
		}
		byDevice[s.Device] = m
		c.members = append(c.members, m)
	}
	c.source = c.members[0]
}

// checkAddresses finds where local workers must listen for the remote ones to
// reach them.
func (c *cluster) checkAddresses() error {
	c.listenHost = "127.0.0.1"
	remote, local := "", false
	for _, m := range c.members {
		remote, local = cmp.Or(remote, m.address), local || m.address == ""
	}
	c.allLocal = remote == ""
	if remote == "" || !local {
		return nil
	}
	if c.options.Local == nil {
		return errors.New("some devices have an address and some have not: the latter need a command that starts local workers")
	}
	route, err := net.Dial("udp", remote) // sends nothing: it only asks for the route
	if err != nil {
		return fmt.Errorf("no route to %s: %w", remote, err)
	}
	defer func() { _ = route.Close() }()
	c.listenHost, _, err = net.SplitHostPort(route.LocalAddr().String())
	return err
}

// now is the coordinator's monotonic time in ns.
func (c *cluster) now() int64 { return int64(time.Since(c.started)) }

// fail ends the run for a failure, or keeps it while a better one may come.
func (c *cluster) fail(b blame, err *DeviceError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.verdict == nil {
		time.AfterFunc(grace, c.judge)
	}
	if c.verdict == nil || b < c.blame {
		c.verdict, c.blame = err, b
	}
	if b == gone {
		c.cancel(c.verdict)
	}
}

func (c *cluster) judge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel(c.verdict)
}

// start brings all workers to the point where passes may begin.
func (c *cluster) start() error {
	for _, step := range []func(context.Context, *member) error{c.reach, c.loadShards, c.connect, c.ready} {
		group, ctx := errgroup.WithContext(c.ctx)
		for _, m := range c.members {
			group.Go(func() error {
				if err := step(ctx, m); err != nil {
					return c.cause(m, err)
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

// cause explains an error of a step on a member: by the run's end, if it has
// ended or is about to.
func (c *cluster) cause(m *member, err error) error {
	c.mu.Lock()
	failing := c.verdict != nil
	c.mu.Unlock()
	if failing {
		<-c.ctx.Done() // judge sees to it
	}
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	return &DeviceError{Device: m.name, Err: err}
}

// reach starts or finds a member's worker.
func (c *cluster) reach(ctx context.Context, m *member) error {
	c.tell(Progress{Device: m.name, State: Starting})
	if m.address == "" {
		if err := c.startLocal(ctx, m); err != nil {
			return err
		}
	}
	var err error
	if m.conn, err = wire.Dial(m.address, m.certificate, c.security.own, c.dialer()); err != nil {
		return err
	}
	return m.hello(ctx)
}

// dialer returns how to reach workers.
func (c *cluster) dialer() wire.Dialer {
	switch {
	case c.options.Local == nil && c.allLocal:
		return c.memory.dial
	case c.security.own == nil:
		return wire.Loopback
	}
	return wire.TCP
}

// loadShards has a member load its stages.
func (c *cluster) loadShards(ctx context.Context, m *member) error {
	load, err := c.load(m)
	if err != nil {
		return err
	}
	if err := c.describe(ctx, m, load); err != nil {
		return err
	}
	begin := c.now()
	if err := m.begin(c.ctx, load); err != nil {
		return err
	}
	supplied := sync.OnceFunc(func() { c.tasks.Go(func() { c.supply(m) }) })
	e, err := m.await(ctx, stall, func(l *wire.Loading) {
		state := Loading
		if l.GetFetching() {
			state = Fetching
			supplied()
		}
		c.tell(Progress{Device: m.name, State: state, Bytes: l.GetBytes(), Total: l.GetTotal()})
	})
	if err != nil {
		return err
	}
	bytes := e.GetLoaded().GetWeightBytes()
	c.tell(Progress{Device: m.name, State: Loading, Bytes: bytes, Total: bytes})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loads = append(c.loads, edgeshard.Span{
		What: edgeshard.Load, Request: -1, Stage: -1, Device: m.device, To: -1, Bytes: bytes,
		Start: time.Duration(begin), End: time.Duration(begin + e.GetLoaded().GetElapsedNs()),
	})
	return nil
}

func (c *cluster) connect(ctx context.Context, m *member) error {
	peers, err := c.peers(m)
	if err != nil {
		return err
	}
	if err := m.send(&wire.Command{Kind: &wire.Command_Connect{Connect: &wire.Connect{Peers: peers}}}); err != nil {
		return err
	}
	_, err = m.await(ctx, 2*c.timeout, nil)
	return err
}

func (c *cluster) ready(ctx context.Context, m *member) error {
	if err := m.synchronise(ctx); err != nil {
		return err
	}
	c.tell(Progress{Device: m.name, State: Ready})
	return nil
}

// tell tells of progress, if anyone wants to know.
func (c *cluster) tell(p Progress) {
	if c.options.Progress == nil {
		return
	}
	c.progress.Lock()
	defer c.progress.Unlock()
	c.options.Progress(p)
}
