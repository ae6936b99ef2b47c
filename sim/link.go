package sim

import (
	"math/rand/v2"
	"time"
)

// A link is one direction between two devices: it is occupied by one message at
// a time, in order, and a message arrives its latency after. Where nothing about
// it changes, the times of a message are known when it is sent; else it has a
// port on the network.
type link struct {
	from, to int
	free     time.Duration // when the last message of its queue has left
	port     *port
}

// connect makes the links that the plan's stages use, a directed pair of devices once.
func (s *pipeline) connect() error {
	n := len(s.plan.Stages)
	s.links, s.hops = make([]link, 0, n+1), make([]*link, n+1)
	pairs := make(map[[2]int]*link)
	at := s.plan.Topology.Source
	for i := range s.hops {
		to := s.plan.Topology.Source
		if i < n {
			to = s.plan.Stages[i].Device
		}
		if pair := [2]int{at, to}; at != to {
			if pairs[pair] == nil {
				s.links = append(s.links, link{from: at, to: to})
				pairs[pair] = &s.links[len(s.links)-1]
			}
			s.hops[i] = pairs[pair]
		}
		at = to
	}
	if s.network != nil {
		s.network.drop()
		s.network = nil
	}
	if s.scenario.ChangesLinks() {
		return s.weave()
	}
	return nil
}

// weave gives every link a port on one network.
func (s *pipeline) weave() error {
	n := &network{pipeline: s, since: s.Now()}
	for i := range s.scenario.Segments {
		g := &s.scenario.Segments[i]
		trace, err := s.scenario.Trace(g.Trace)
		if err != nil {
			return err
		}
		n.segments = append(n.segments, medium{capacity: int64(g.Capacity), trace: trace})
	}
	halves := make(map[[2]int]int)
	for i := range s.links {
		p, err := s.newPort(&s.links[i])
		if err != nil {
			return err
		}
		if s.scenario.LinkOf(s.plan.Topology, p.from, p.to).HalfDuplex {
			n.half(p, halves)
		}
		n.ports = append(n.ports, p)
		s.links[i].port = p
	}
	s.network = n
	return nil
}

// half lets a port share its bandwidth with that of the other direction.
func (n *network) half(p *port, halves map[[2]int]int) {
	pair := [2]int{min(p.from, p.to), max(p.from, p.to)}
	g, ok := halves[pair]
	if !ok {
		g = len(n.segments)
		n.segments = append(n.segments, medium{})
		halves[pair] = g
	}
	n.segments[g].capacity = max(n.segments[g].capacity, p.bandwidth)
	p.segments = append(p.segments, g)
}

// nominal is the bandwidth of a link that the costs give none for.
const nominal = 1_000_000_000

func (s *pipeline) newPort(l *link) (*port, error) {
	t := s.plan.Topology
	c := s.scenario.LinkOf(t, l.from, l.to)
	trace, err := s.scenario.Trace(c.Trace)
	if err != nil {
		return nil, err
	}
	p := &port{
		from: l.from, to: l.to, bandwidth: nominal, trace: trace, loss: c.Loss, retransmit: time.Duration(c.Retransmit),
		factor: s.faults.linkFactor(s, l.from, l.to),
		rng:    rand.New(rand.NewPCG(s.scenario.Seed, 0x6c696e6b<<32|uint64(l.from)<<16|uint64(l.to))),
	}
	if b := t.Link(l.from, l.to).Bandwidth; b > 0 {
		p.bandwidth = int64(b)
	}
	if c.Jitter != nil {
		p.jitter = c.Jitter.Dist().New(p.rng)
	}
	for i := range s.scenario.Segments {
		if s.scenario.Segments[i].Carries(t, l.from, l.to) {
			p.segments = append(p.segments, i)
		}
	}
	return p, nil
}

// send puts a flow on the link into its stage, or at the stage where it stays on
// the device.
func (s *pipeline) send(f int32, hop *link) {
	fl := &s.flows[f]
	if hop == nil {
		s.After(0, event{kind: delivered, flow: f, epoch: fl.epoch})
		return
	}
	t := fl.row.send[fl.stage]
	if hop.port != nil {
		s.network.send(hop.port, message{flow: f, epoch: fl.epoch, occupancy: t.Occupancy, latency: t.Latency})
		return
	}
	fl.start = max(s.Now(), hop.free)
	fl.free = min(fl.start+t.Occupancy, never)
	hop.free = fl.free
	s.At(fl.free+t.Latency, event{kind: delivered, flow: f, epoch: fl.epoch})
}
