package exec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A cluster is the workers that a coordinator knows, from its first plan to the
// last.
type cluster struct {
	options *Options
	plan    *edgeshard.Plan // the first: its topology is what local workers imitate
	id      string          // unguessable: under it workers keep what they hold
	timeout time.Duration
	log     *slog.Logger
	started time.Time    // the zero of the coordinator's clock
	zero    atomic.Int64 // of the run, by that clock; 0: it has not begun

	ctx    context.Context
	cancel context.CancelCauseFunc
	tasks  sync.WaitGroup

	security   security
	shelf      shelf
	memory     *memoryNetwork
	listenHost string
	allLocal   bool     // no device has an address
	arbiter    *arbiter // of links; nil without a scenario

	mu       sync.Mutex
	members  []*member // those that were needed so far
	epoch    *epoch    // the present one; nil between two
	news     chan struct{}
	progress sync.Mutex
}

func newCluster(ctx context.Context, o *Options, p *edgeshard.Plan) (*cluster, error) {
	c := &cluster{
		options: o, plan: p, id: o.Journal.coordinator(), timeout: timeout(o.Timeout), log: logger(o.Log),
		shelf:   shelf{ref: cmp.Or(o.Model, p.Model.Ref), cache: o.Cache},
		started: time.Now(), memory: newMemoryNetwork(), news: make(chan struct{}, 1),
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	if err := c.checkAddresses(); err != nil {
		return nil, err
	}
	var err error
	if c.security, err = newSecurity(o, c.allLocal); err != nil {
		return nil, err
	}
	if c.arbiter, err = newArbiter(c); err != nil {
		return c, err
	}
	if c.options.Emulate && c.options.Local != nil {
		err = c.keepAwake()
	}
	return c, err
}

// checkAddresses finds where local workers must listen for the remote ones to
// reach them.
func (c *cluster) checkAddresses() error {
	c.listenHost = "127.0.0.1"
	remote, local := "", false
	for _, s := range c.plan.Stages {
		address := c.plan.Topology.Devices[s.Device].Address
		remote, local = cmp.Or(remote, address), local || address == ""
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

// reachable reports whether a device could be made a member: with local workers
// only there are no credentials for others, and with remote ones perhaps no
// command that starts local ones.
func (c *cluster) reachable(device int) bool {
	remote := c.plan.Topology.Devices[device].Address != ""
	return c.allLocal && !remote || !c.allLocal && (remote || c.options.Local != nil)
}

// member returns the member of a device, made if need be.
func (c *cluster) member(device int) *member {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.members, func(m *member) bool { return m.device == device })
	if i < 0 {
		i = len(c.members)
		c.members = append(c.members, newMember(c, device))
	}
	return c.members[i]
}

// all returns the members there are.
func (c *cluster) all() []*member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.members)
}

// now is the coordinator's monotonic time in ns.
func (c *cluster) now() int64 { return int64(time.Since(c.started)) }

// runTime is the time since the run's start.
func (c *cluster) runTime() time.Duration { return time.Duration(c.now() - c.zero.Load()) }

// deviceName returns the name of a device that a worker speaks of.
func (c *cluster) deviceName(device uint32) string {
	if d := c.plan.Topology.Devices; int(device) < len(d) {
		return d[device].Name
	}
	return fmt.Sprint(device)
}

// dialer returns how to reach workers.
func (c *cluster) dialer() wire.Dialer {
	switch {
	case c.options.Local == nil && c.allLocal:
		return c.memory.dialFrom("")
	case c.security.own == nil:
		return wire.Loopback
	}
	return wire.TCP
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

// current returns the present epoch, nil between two.
func (c *cluster) current() *epoch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

// notify tells the engine that a member has come or gone.
func (c *cluster) notify() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// close ends all workers: connections, local processes. It leaves nothing
// behind. With failed it does not ask them but kills.
func (c *cluster) close(failed bool) {
	c.cancel(errors.New("the run is over"))
	members := c.all()
	for _, m := range members {
		m.disconnect()
		if m.local == nil {
			continue
		}
		m.local.stop()
		if failed || m.lost() != nil {
			m.local.kill()
		}
	}
	for _, m := range members {
		if m.local != nil {
			m.local.wait()
		}
	}
	c.tasks.Wait()
	c.shelf.close()
}

// wait returns when the worker has ended, which it sees to.
func (l *localWorker) wait() {
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
		l.kill()
		<-l.done
	}
}
