package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// A member is a device's worker, as the coordinator sees it, through all plans.
type member struct {
	cluster     *cluster
	device      int
	name        string
	address     string
	certificate string // the name it must show
	local       *localWorker

	conn *grpc.ClientConn // of sessions

	mu      sync.Mutex
	slowed  float64 // by a fault; 0: it is not
	slain   bool    // by a fault: it stays dead until that is over
	failure error   // why it counts as dead; nil: it does not
	back    bool    // and can be had again
	deaths  int     // not long ago
	died    time.Time
	unwatch context.CancelFunc
	clock   *clock
	last    beat // heard
	nudged  chan struct{}

	watching *grpc.ClientConn // beats go over it
	watched  *wire.Peer       // where it leads to
}

func newMember(c *cluster, device int) *member {
	d := &c.plan.Topology.Devices[device]
	return &member{cluster: c, device: device, name: d.Name, address: d.Address, certificate: d.Name, clock: &clock{}, nudged: make(chan struct{}, 1)}
}

// A DeviceError says which device a run failed on.
type DeviceError struct {
	Device string
	Err    error
}

func (e *DeviceError) Error() string { return "device " + e.Device + ": " + e.Err.Error() }

func (e *DeviceError) Unwrap() error { return e.Err }

// lost returns why the member counts as dead, nil if it does not.
func (m *member) lost() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failure
}

// fail declares the member dead; the first reason counts. The present epoch, if
// it needs the member, is over.
func (m *member) fail(b blame, err error) {
	m.mu.Lock()
	first := m.failure == nil
	if first {
		m.failure, m.back = err, false
		if time.Since(m.died) > deathMemory {
			m.deaths = 0
		}
		m.deaths++
		m.died = time.Now()
	}
	death := m.died
	m.mu.Unlock()
	if first && m.cluster.options.Replan != nil && m.cluster.ctx.Err() == nil {
		m.cluster.tasks.Go(func() { m.awaitReturn(death) })
	}
	if e := m.cluster.current(); e != nil && first {
		e.lose(m, b, err)
	}
	m.cluster.notify()
}

// reach makes sure of a live worker: it starts or finds it, unless it is there.
func (m *member) reach(ctx context.Context) error {
	if m.conn != nil && m.lost() == nil {
		return nil
	}
	err := m.start(ctx)
	if err != nil && ctx.Err() == nil {
		m.disconnect()
		m.fail(gone, err)
	}
	return err
}

// start starts or finds the worker.
func (m *member) start(ctx context.Context) error {
	c := m.cluster
	if m.isSlain() {
		return errors.New("a fault has killed it")
	}
	c.tell(Progress{Device: m.name, State: Starting})
	if l := m.worker(); l != nil && (!m.isBack() || l.ended()) { // it died, or stands still: a new one takes its place
		l.kill()
		l.wait()
		m.setWorker(nil)
		m.address = ""
	}
	m.disconnect()
	m.mu.Lock()
	m.failure, m.back = nil, false
	m.mu.Unlock()
	if m.address == "" {
		if err := c.startLocal(ctx, m); err != nil {
			return err
		}
	}
	var err error
	if m.conn, err = m.dial(); err != nil {
		return err
	}
	if err := m.hello(ctx, m.conn, silence(c.timeout)); err != nil {
		return err
	}
	if err := m.watchOver(ctx); err != nil {
		return err
	}
	return m.lost()
}

// ended reports that the worker has ended.
func (l *localWorker) ended() bool { return closed(l.done) }

func (m *member) dial() (*grpc.ClientConn, error) {
	return wire.Dial(m.address, m.certificate, m.cluster.security.own, m.cluster.dialer())
}

// disconnect closes what connects the coordinator to the worker.
func (m *member) disconnect() {
	m.mu.Lock()
	if m.unwatch != nil {
		m.unwatch()
	}
	m.mu.Unlock()
	if m.conn != nil {
		_ = m.conn.Close()
		m.conn = nil
	}
}

// hello makes sure that a worker is there and speaks the same protocol.
func (m *member) hello(ctx context.Context, conn *grpc.ClientConn, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	h, err := wire.NewWorkerClient(conn).Hello(ctx, &wire.HelloRequest{Protocol: wire.Protocol})
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

// passed returns when the last pass entered that has been through all workers of the
// present epoch, this one among them, by the coordinator's clock: all were alive
// after that. It is 0 if there is none.
func (m *member) passed() time.Duration {
	c := m.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.epoch; e != nil && e.seat(m.device) != nil {
		return time.Duration(e.passed.Load())
	}
	return 0
}

// hears notes what the worker's last answer told.
func (m *member) hears(b beat) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = b
}

// nudge has the worker asked at once whether it lives, beside the beats in turn.
func (m *member) nudge() {
	select {
	case m.nudged <- struct{}{}:
	default: // it is about to be
	}
}

// lastHeard returns the worker's last answer.
func (m *member) lastHeard() beat {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// offset returns how far the worker's clock is ahead of the coordinator's.
func (m *member) offset() int64 {
	m.mu.Lock()
	c := m.clock
	m.mu.Unlock()
	offset, _ := c.offset()
	return offset
}
