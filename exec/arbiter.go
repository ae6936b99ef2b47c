package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/scenarios/network"
)

// An arbiter divides the links of which a scenario says something, those that are
// shared, change or fail, between local workers. It has the simulator's network,
// stepped as the clock goes. Workers offer it their messages and are told when
// each is expected to arrive, anew whenever that changes: so what a word takes to
// reach them delays no message, but for those that it finds already due.
type arbiter struct {
	cluster *cluster
	wake    chan struct{}

	mu      sync.Mutex
	net     *network.Network
	zero    int64              // of the network's time, by the coordinator's clock
	faults  []*scenarios.Fault // of links, in force
	senders map[*network.Port]*seat
	told    map[*network.Port]network.Passage
}

// newArbiter returns the arbiter of a scenario, nil where there is none.
func newArbiter(c *cluster) (*arbiter, error) {
	sc := c.options.Scenario
	if sc == nil || !c.options.Emulate {
		return nil, nil
	}
	n, err := network.New(c.plan.Topology, sc, 0)
	if err != nil {
		return nil, err
	}
	return &arbiter{
		cluster: c, net: n, wake: make(chan struct{}, 1),
		senders: make(map[*network.Port]*seat), told: make(map[*network.Port]network.Passage),
	}, nil
}

// decides tells whether a link is the arbiter's, and opens it.
func (a *arbiter) decides(from, to int) (bool, error) {
	if a == nil || !a.cluster.options.Scenario.ChangesLink(a.cluster.plan.Topology, from, to) {
		return false, nil
	}
	a.mu.Lock()
	before := len(a.net.Ports())
	_, err := a.net.Open(from, to)
	late := len(a.net.Ports()) > before && len(a.faults) > 0 // its fault may have begun long ago
	a.mu.Unlock()
	if late {
		a.step(a.now(), func() { a.net.SetFactors(a.left, a.now()) })
	}
	return true, err
}

// left is the part of a link's bandwidth that the faults in force leave.
func (a *arbiter) left(p *network.Port) float64 {
	return scenarios.Bandwidth(a.faults, a.cluster.plan.Topology, p.From, p.To)
}

// begin starts the arbiter at the beginning of the run, by the coordinator's clock.
func (a *arbiter) begin(ctx context.Context, zero time.Duration) {
	if a == nil {
		return
	}
	a.mu.Lock()
	a.zero = int64(zero)
	a.mu.Unlock()
	a.cluster.tasks.Go(func() { a.run(ctx) })
}

// timeOf brings a time of a member's clock to the run's.
func (a *arbiter) timeOf(m *seat, ns int64) time.Duration {
	offset := m.offset()
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Duration(ns - offset - a.zero)
}

// now is the time of the run.
func (a *arbiter) now() time.Duration { return time.Duration(a.cluster.now() - a.zero) }

// run steps the network until ctx ends.
func (a *arbiter) run(ctx context.Context) {
	left := func() time.Duration {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.net.Next() - a.now()
	}
	for ctx.Err() == nil {
		waitUntil(ctx, left, a.wake)
		a.step(a.now(), func() {})
	}
}

// step brings the network up to a time, changes it, and tells the workers whose
// messages fare differently, in the order of the steps.
func (a *arbiter) step(at time.Duration, change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.net.Advance(at) {
		a.inform(e)
	}
	change()
	for _, p := range a.net.Ports() {
		if e, ok := a.net.Expect(p); ok {
			a.inform(e)
		}
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// differs tells whether a passage is another than the one told, by more than
// rounding.
func differs(a, b network.Passage) bool {
	const rounding = time.Microsecond
	return a.ID != b.ID || a.Start != b.Start || b.Port == nil || (a.Arrival-b.Arrival).Abs() > rounding || (a.Free-b.Free).Abs() > rounding
}

// inform tells a message's sender how it fares, unless it knows.
func (a *arbiter) inform(e network.Passage) {
	if !differs(e, a.told[e.Port]) {
		return
	}
	a.told[e.Port] = e
	if m := a.senders[e.Port]; a.tell(m, e) != nil {
		a.cluster.log.Warn("link", "device", m.name, "err", "cannot tell it of its messages") // listen gets the reason
	}
}

func (a *arbiter) tell(m *seat, e network.Passage) error {
	offset := m.offset()
	at := func(d time.Duration) int64 {
		if d >= network.Never {
			return noTime
		}
		return int64(d) + a.zero + offset
	}
	return m.send(&wire.Command{Kind: &wire.Command_Expect{Expect: &wire.Expect{
		To: uint32(e.Port.To), Id: e.ID, StartNs: at(e.Start), FreeNs: at(e.Free), ArrivalNs: at(e.Arrival),
	}}})
}

// offer takes a message of a worker.
func (a *arbiter) offer(m *seat, o *wire.Offer) error {
	if a == nil || o.GetBytes() < 0 {
		return errors.New("a message offered for a link that is not arbitrated")
	}
	to := int(o.GetTo())
	if arbitrated, err := a.decides(m.device, to); err != nil || !arbitrated {
		return errors.Join(err, fmt.Errorf("a message offered for the link to device %d", to))
	}
	l := a.cluster.plan.Topology.Link(m.device, to)
	at := a.timeOf(m, o.GetAtNs())
	a.step(at, func() {
		p, err := a.net.Open(m.device, to)
		if err != nil {
			return // decides has opened it
		}
		a.senders[p] = m
		a.net.Send(p, network.Message{
			ID: o.GetId(), Bytes: o.GetBytes(),
			Occupancy: time.Duration(occupancy(o.GetBytes(), int64(l.Bandwidth))), Latency: l.Latency,
		}, at)
	})
	return nil
}

// setFaults makes the link faults in force those given.
func (a *arbiter) setFaults(inForce []*scenarios.Fault) {
	if a == nil {
		return
	}
	a.step(a.now(), func() {
		a.faults = slices.Clone(inForce)
		a.net.SetFactors(a.left, a.now())
	})
}

// drop forgets all messages, as when the sessions that offered them have ended.
func (a *arbiter) drop() {
	if a == nil || a.zero == 0 {
		return
	}
	a.step(a.now(), func() {
		a.net.Drop(a.now())
		clear(a.told)
	})
}
