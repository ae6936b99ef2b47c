// Package network divides the links of a run in time: it says when a message
// leaves its link and when it arrives, where bandwidth is shared, changes or
// jitters. It is stepped from outside, by the simulator in virtual time and by
// the executor as the clock goes, so that both have the same links.
package network

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard/internal/dist"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/topologies"
)

// Never is the time of what does not happen. The sum of two such times does not
// overflow.
const Never = 100 * 365 * 24 * time.Hour

// A Network is the links of a run. A link carries one message at a time, in
// order; the messages under way divide the segments they pass through. Work is
// counted in whole bits·ns, so that a message alone on an unchanged link takes
// its idle time to the nanosecond.
type Network struct {
	topology *topologies.Topology
	scenario *scenarios.Scenario
	ports    []*Port
	segments []medium
	halves   map[[2]int]int // segments of links whose directions share the bandwidth
	since    time.Duration  // when the messages' work was brought up to date
	next     time.Duration  // when a message ends or a trace changes
	rates    []flowRate     // scratch, as are
	active   []*Port
	capacity []int64
}

// A medium is a shared segment.
type medium struct {
	capacity int64 // bits a second
	trace    *scenarios.Trace
}

// A Port is one direction of a link.
type Port struct {
	From, To   int   // devices
	bandwidth  int64 // nominal, bits a second
	trace      *scenarios.Trace
	segments   []int
	factor     float64       // of the bandwidth that faults leave
	jitter     *dist.Source  // adds to the latency
	around     *dist.Source  // of a mean that the latency has already:
	mean       time.Duration // this
	loss       float64
	retransmit time.Duration
	rng        *rand.Rand

	queue   []Message
	busy    bool
	current Message
	started time.Duration
	left    work
	rate    int64
	delay   time.Duration // of the current message, by jitter and retransmissions
	arrival time.Duration // of the last message; they stay in order
}

// A Message is something to send over a link. Its occupancy and latency are
// those of the idle link.
type Message struct {
	ID                 int64 // the sender's
	Bytes              int64
	Occupancy, Latency time.Duration
}

// A Passage is the way of a message over its link: when it began to occupy it,
// when the link was free again, and when it arrived.
type Passage struct {
	Port                 *Port
	ID                   int64
	Start, Free, Arrival time.Duration
}

// New returns the network of a scenario on a topology, at a time.
func New(t *topologies.Topology, sc *scenarios.Scenario, now time.Duration) (*Network, error) {
	n := &Network{topology: t, scenario: sc, since: now, next: Never, halves: make(map[[2]int]int)}
	for i := range sc.Segments {
		g := &sc.Segments[i]
		trace, err := sc.Trace(g.Trace)
		if err != nil {
			return nil, err
		}
		n.segments = append(n.segments, medium{capacity: int64(g.Capacity), trace: trace})
	}
	return n, nil
}

// Ports returns the links opened so far.
func (n *Network) Ports() []*Port { return n.ports }

// Open returns the link from one device to another.
func (n *Network) Open(from, to int) (*Port, error) {
	if i := slices.IndexFunc(n.ports, func(p *Port) bool { return p.From == from && p.To == to }); i >= 0 {
		return n.ports[i], nil
	}
	p, err := n.newPort(from, to)
	if err != nil {
		return nil, err
	}
	if n.scenario.LinkOf(n.topology, from, to).HalfDuplex {
		n.half(p)
	}
	n.ports = append(n.ports, p)
	return p, nil
}

// half lets a port share its bandwidth with that of the other direction.
func (n *Network) half(p *Port) {
	pair := [2]int{min(p.From, p.To), max(p.From, p.To)}
	g, ok := n.halves[pair]
	if !ok {
		g = len(n.segments)
		n.segments = append(n.segments, medium{})
		n.halves[pair] = g
	}
	n.segments[g].capacity = max(n.segments[g].capacity, p.bandwidth)
	p.segments = append(p.segments, g)
}

// nominal is the bandwidth of a link that the topology gives none for.
const nominal = 1_000_000_000

func (n *Network) newPort(from, to int) (*Port, error) {
	t, s := n.topology, n.scenario
	c := s.LinkOf(t, from, to)
	trace, err := s.Trace(c.Trace)
	if err != nil {
		return nil, err
	}
	p := &Port{
		From: from, To: to, bandwidth: nominal, trace: trace, loss: c.Loss, retransmit: time.Duration(c.Retransmit), factor: 1,
		rng: rand.New(rand.NewPCG(s.Seed, 0x6c696e6b<<32|uint64(from)<<16|uint64(to))),
	}
	if b := t.Link(from, to).Bandwidth; b > 0 {
		p.bandwidth = int64(b)
	}
	if c.Jitter != nil {
		p.jitter = c.Jitter.Dist().New(p.rng)
	}
	if sd := time.Duration(c.Around); sd > 0 {
		p.mean = max(t.Link(from, to).Latency, sd)
		p.around = dist.Distribution{Name: "lognormal", Mean: float64(p.mean), CV: max(float64(sd)/float64(p.mean), 0.01)}.New(p.rng)
	}
	for i := range s.Segments {
		if scenarios.Carries(&s.Segments[i], t, from, to) {
			p.segments = append(p.segments, i)
		}
	}
	return p, nil
}

// Next returns when Advance has something to do: Never, if nothing is under way.
func (n *Network) Next() time.Duration { return n.next }

// Send queues a message on a link. A message sent before what has already been
// done to the network is sent then.
func (n *Network) Send(p *Port, m Message, now time.Duration) {
	if p.busy {
		p.queue = append(p.queue, m)
		return
	}
	n.progress(now)
	n.start(p, m)
	n.reschedule()
}

// Advance brings the network up to now and returns the messages that have left
// their links, in order.
func (n *Network) Advance(now time.Duration) []Passage {
	var left []Passage
	for n.next <= now {
		n.progress(n.next)
		for _, p := range n.ports {
			for p.busy && p.left == (work{}) {
				left = append(left, n.leave(p))
			}
		}
		n.reschedule()
	}
	n.progress(now)
	return left
}

// SetFactors sets the part of each link's bandwidth that faults leave.
func (n *Network) SetFactors(factor func(*Port) float64, now time.Duration) {
	n.progress(now)
	for _, p := range n.ports {
		p.factor = factor(p)
	}
	n.reschedule()
}

// Factor returns the part of the bandwidth that faults leave.
func (p *Port) Factor() float64 { return p.factor }

// Expect returns how the message on a link will fare if nothing changes until it
// has left; ok is false where there is none. Its times are Never where the link
// has no bandwidth.
func (n *Network) Expect(p *Port) (passage Passage, ok bool) {
	if !p.busy {
		return Passage{}, false
	}
	free := Never
	switch {
	case p.left == (work{}):
		free = n.since
	case p.rate > 0:
		free = min(n.since+p.left.time(p.rate), Never)
	}
	return p.passage(free), true
}

// Drop clears every link.
func (n *Network) Drop(now time.Duration) {
	n.progress(now)
	for _, p := range n.ports {
		p.busy, p.queue = false, nil
	}
	n.next = Never
}

// start puts a message on the link, which is free.
func (n *Network) start(p *Port, m Message) {
	p.busy, p.current, p.started, p.delay = true, m, n.since, 0
	occupancy := m.Occupancy
	if p.loss > 0 {
		again, rounds := p.retransmissions(m)
		occupancy += again
		wait := p.retransmit
		if wait == 0 {
			wait = 2 * m.Latency
		}
		p.delay = time.Duration(rounds) * wait
	}
	if p.jitter != nil {
		p.delay += time.Duration(min(p.jitter.Next(), float64(Never/2)))
	}
	if p.around != nil {
		p.delay += max(time.Duration(min(p.around.Next(), float64(Never/2)))-p.mean, -m.Latency)
	}
	p.left = workOf(occupancy, p.bandwidth)
}

// leave ends the occupation of a link by a message and starts the next.
func (n *Network) leave(p *Port) Passage {
	left := p.passage(n.since)
	p.busy, p.arrival = false, left.Arrival
	if len(p.queue) > 0 {
		m := p.queue[0]
		p.queue = p.queue[1:]
		n.start(p, m)
	}
	return left
}

// passage is that of the current message if it leaves at a time.
func (p *Port) passage(free time.Duration) Passage {
	latency := p.current.Latency + p.delay
	if p.trace != nil {
		point, _ := p.trace.At(free)
		latency += point.Latency
	}
	return Passage{Port: p, ID: p.current.ID, Start: p.started, Free: free, Arrival: max(p.arrival, min(free+latency, Never))}
}
