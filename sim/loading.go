package sim

import (
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
)

// A load is that of the weights of units that are new to a device.
type load struct {
	device int
	units  []int
	absent []int // of these, the units that are not on the device's disk
}

// owners returns which device has each unit under a plan.
func owners(p *edgeshard.Plan) []int {
	owner := make([]int, 0, p.Model.Config.Units())
	for _, st := range p.Stages {
		for range st.To - st.From {
			owner = append(owner, st.Device)
		}
	}
	return owner
}

// shelve notes that devices have the weights of a plan's units on their disks
// from then on.
func (s *pipeline) shelve(p *edgeshard.Plan) {
	if s.disks == nil {
		s.disks = make([][]bool, len(s.devices))
	}
	for u, d := range owners(p) {
		if s.disks[d] == nil {
			s.disks[d] = make([]bool, p.Model.Config.Units())
		}
		s.disks[d][u] = true
	}
}

// has reports that a device has a unit's weights on its disk.
func (s *pipeline) has(device, unit int) bool { return s.disks[device] != nil && s.disks[device][unit] }

// loads returns the loads of the weights that are new to their device under a
// plan, all at once from now on.
func (s *pipeline) loads(p *edgeshard.Plan) []edgeshard.Span {
	before, after := owners(s.plan), owners(p)
	var spans []edgeshard.Span
	for d := range s.devices {
		l := load{device: d}
		for u := range after {
			if after[u] != d || before[u] == d {
				continue
			}
			l.units = append(l.units, u)
			if !s.scenario.Recovery.Cached && !s.has(d, u) {
				l.absent = append(l.absent, u)
			}
		}
		if took := s.loadTime(p, l); took > 0 {
			spans = append(spans, s.loadSpan(l, s.Now(), took))
		}
	}
	return spans
}

func (s *pipeline) loadSpan(l load, start, took time.Duration) edgeshard.Span {
	return edgeshard.Span{
		What: edgeshard.Load, Request: -1, Stage: -1, Device: l.device, To: -1,
		Bytes: s.weights(l.device, l.units), Start: start, End: start + took,
	}
}

func (s *pipeline) weights(device int, units []int) (bytes int64) {
	for _, u := range units {
		bytes += s.rates.weights(device, u)
	}
	return bytes
}

// loadTime returns how long a load takes under a plan: what is absent is fetched,
// then all is read.
func (s *pipeline) loadTime(p *edgeshard.Plan, l load) time.Duration {
	took := s.readTime(l.device, s.weights(l.device, l.units))
	if l.device != p.Topology.Source && len(l.absent) > 0 {
		took += s.fetchTime(p, l)
	}
	return took
}

// readTime is that of weights on a device's own disk, where its profile knows.
func (s *pipeline) readTime(device int, bytes int64) time.Duration {
	p := s.plan.Profiles[s.plan.Topology.Devices[device].Profile]
	if p == nil || p.Load <= 0 {
		return 0
	}
	return time.Duration(float64(bytes) / float64(p.Load) * 1e9)
}

// A share is a part of what is fetched that one more device has.
type share struct {
	part  float64
	alone time.Duration // that it would take to send it
}

// fetchTime returns the time in which weights come to a device: from the source,
// which has all, and at the same time from the plan's other devices, as much as
// their links bring of what they have.
func (s *pipeline) fetchTime(p *edgeshard.Plan, l load) time.Duration {
	source, bytes := p.Topology.Source, s.weights(l.device, l.absent)
	whole := s.rates.Transfer(source, l.device, bytes).Idle()
	var shares []share
	left := slices.Clone(l.absent)
	for _, st := range p.Stages {
		if st.Device == source || st.Device == l.device || s.faults.severed[[2]int{st.Device, l.device}] {
			continue
		}
		var theirs []int
		left = slices.DeleteFunc(left, func(u int) bool {
			has := s.has(st.Device, u)
			if has {
				theirs = append(theirs, u)
			}
			return has
		})
		if n := s.weights(l.device, theirs); n > 0 {
			shares = append(shares, share{float64(n) / float64(bytes), s.rates.Transfer(st.Device, l.device, n).Idle()})
		}
	}
	return together(whole, shares)
}

// together returns the time in which all comes that one sender would need a time
// for, if others send their shares of it meanwhile.
func together(whole time.Duration, shares []share) time.Duration {
	left := 1.0
	for whole > 0 && len(shares) > 0 {
		speed := 1 / float64(whole)
		for _, x := range shares {
			speed += x.part / float64(max(x.alone, 1))
		}
		took := time.Duration(left / speed)
		i := slices.IndexFunc(shares, func(x share) bool { return x.alone < took })
		if i < 0 {
			return took
		}
		left -= shares[i].part // it has sent all that it has
		shares = slices.Delete(shares, i, i+1)
	}
	return time.Duration(left * float64(whole))
}

// deliverWeights has every device load its weights: where the scenario delivers
// them within the run, and else before its start.
func (s *pipeline) deliverWeights() {
	s.shelve(s.plan)
	ready := s.requests[0].Arrival
	if d := s.scenario.Delivery; d != nil {
		ready = max(ready, s.deliveries(d))
	} else {
		s.preload()
		s.faults.delivered = true
	}
	s.At(s.requests[0].Arrival, event{kind: arrival})
	if !s.faults.delivered {
		s.At(ready, event{kind: started})
	}
}

// preload tells of the loads that end before the run, which starts when the last
// one has, as it does on real workers. A worker at an address gets its weights from
// the coordinator, which is taken to be where the source is; the others have them.
func (s *pipeline) preload() {
	loads, times := make([]load, 0, len(s.memory.used)), make([]time.Duration, 0, len(s.memory.used))
	for _, d := range s.memory.used {
		l := load{device: d, units: s.memory.devices[d].units}
		if s.plan.Topology.Devices[d].Address != "" {
			l.absent = l.units
		}
		loads, times = append(loads, l), append(times, s.loadTime(s.plan, l))
	}
	longest := slices.Max(times)
	for i, l := range loads {
		if times[i] > 0 {
			s.tell(s.loadSpan(l, -longest, times[i]))
		}
	}
}

// deliveries tells of the load of every device, and returns when the last ends.
func (s *pipeline) deliveries(c *scenarios.Delivery) (ready time.Duration) {
	t := s.plan.Topology
	from := t.Source
	if c.From != "" {
		from, _ = t.Index(c.From)
	}
	for _, d := range s.memory.used {
		l := load{device: d, units: s.memory.devices[d].units}
		span := s.loadSpan(l, 0, s.readTime(d, s.weights(d, l.units)))
		if bytes := int64(float64(span.Bytes) * (1 - c.Shared)); d != from && !c.Has(t, d) && bytes > 0 {
			span.Bytes = bytes
			span.End += s.rates.Transfer(from, d, bytes).Idle()
		}
		if span.End > 0 {
			s.tell(span)
			ready = max(ready, span.End)
		}
	}
	return ready
}
