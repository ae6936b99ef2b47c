package sim

import (
	"time"

	"github.com/edgeshard/edgeshard/scenarios/network"
)

// A link is one direction between two devices: it is occupied by one message at
// a time, in order, and a message arrives its latency after. Where nothing about
// it changes, the times of a message are known when it is sent; else it has a
// port on the network.
type link struct {
	from, to int
	free     time.Duration // when the last message of its queue has left
	port     *network.Port
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
		s.dropNetwork()
		s.network = nil
	}
	if s.scenario.ChangesLinks() {
		return s.weave()
	}
	return nil
}

// weave gives every link a port on one network.
func (s *pipeline) weave() error {
	n, err := network.New(s.plan.Topology, s.scenario, s.Now())
	if err != nil {
		return err
	}
	for i := range s.links {
		l := &s.links[i]
		if l.port, err = n.Open(l.from, l.to); err != nil {
			return err
		}
	}
	n.SetFactors(s.linkFactor, s.Now())
	for _, p := range n.Ports() {
		if p.Factor() == 0 && s.faults.cuts != nil {
			s.noteCut(p.From, p.To)
		}
	}
	s.network = n
	return nil
}

// tickNetwork sets the event of the network's next change.
func (s *pipeline) tickNetwork() {
	s.Cancel(s.tick)
	s.tick = 0
	if next := s.network.Next(); next < network.Never {
		s.tick = s.At(next, event{kind: networkTick})
	}
}

// dropNetwork clears every link, as when the run is planned anew.
func (s *pipeline) dropNetwork() {
	s.network.Drop(s.Now())
	s.tickNetwork()
}

// advanceNetwork delivers the messages that have left their links.
func (s *pipeline) advanceNetwork() {
	s.tick = 0
	for _, m := range s.network.Advance(s.Now()) {
		f, epoch := int32(m.ID>>32), int32(m.ID)
		if fl := &s.flows[f]; fl.epoch == epoch {
			fl.start, fl.free = m.Start, m.Free
			s.At(m.Arrival, event{kind: delivered, flow: f, epoch: epoch})
		}
	}
	s.tickNetwork()
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
		s.network.Send(hop.port, network.Message{
			ID: int64(f)<<32 | int64(uint32(fl.epoch)), Bytes: fl.row.bytes[fl.stage], Occupancy: t.Occupancy, Latency: t.Latency,
		}, s.Now())
		s.tickNetwork()
		return
	}
	fl.start = max(s.Now(), hop.free)
	fl.free = min(fl.start+t.Occupancy, never)
	hop.free = fl.free
	s.At(fl.free+t.Latency, event{kind: delivered, flow: f, epoch: fl.epoch})
}
