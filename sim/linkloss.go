package sim

import (
	"context"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/topologies"
)

// severedBandwidth is what a link that is cut is planned with: no plan uses it
// that has another way.
const severedBandwidth topologies.BitRate = 1000

// noteCut takes note of a link of the plan that carries nothing from now on. If the
// run is planned anew after failures that is known after the time of detection.
func (s *pipeline) noteCut(from, to int) {
	key := [2]int{from, to}
	if _, known := s.faults.cuts[key]; !known {
		s.faults.cuts[key] = s.Now()
	}
	if s.scenario.Recovery.Policy == scenarios.Replan {
		s.After(s.detectAfter(), event{kind: linkDetection, flow: int32(from), epoch: int32(to)})
	}
}

// detectAfter is the silence after which a failure is known.
func (s *pipeline) detectAfter() time.Duration {
	if d := time.Duration(s.scenario.Recovery.Detect); d > 0 {
		return d
	}
	return scenarios.DefaultDetect
}

// loseLink is told that nothing has come over a link for as long as a detection
// takes. It is the receiver that tells, as on real workers. The run goes on with a
// plan that does without the link in both directions.
func (s *pipeline) loseLink(ctx context.Context, from, to int) error {
	since, cut := s.faults.cuts[[2]int{from, to}]
	if !cut || s.Now()-since < s.detectAfter() || s.faults.halted || !s.uses(s.plan, from, to) {
		return nil
	}
	s.tell(edgeshard.Span{What: edgeshard.Detection, Request: -1, Stage: -1, Device: to, To: from, Start: since, End: s.Now()})
	s.faults.severed[[2]int{from, to}], s.faults.severed[[2]int{to, from}] = true, true
	s.planAnew(to)
	return s.replan(ctx)
}

// uses reports whether a plan sends anything over a link.
func (s *pipeline) uses(p *edgeshard.Plan, from, to int) bool {
	for i, st := range p.Stages {
		next := p.Topology.Source
		if i+1 < len(p.Stages) {
			next = p.Stages[i+1].Device
		}
		if st.Device == from && next == to {
			return true
		}
	}
	return false
}

// job is the plan's problem as the cluster is now known to be. A topology without
// links, which no file describes, stays as it is.
func (s *pipeline) job() *edgeshard.Plan {
	p := *s.plan
	if len(s.faults.severed)+len(s.faults.slow) == 0 {
		return &p
	}
	t := p.Topology
	devices := slices.Clone(t.Devices)
	for d, f := range s.faults.slow {
		if f.known {
			devices[d].Slowdown = max(devices[d].Slowdown, 1) * f.factor
		}
	}
	found, err := topologies.New(t.Name, devices, t.Source, func(from, to int) topologies.Link {
		l := t.Link(from, to)
		if s.faults.severed[[2]int{from, to}] {
			l.Bandwidth = severedBandwidth
		}
		return l
	})
	if err == nil {
		found.Description, found.Cloud = t.Description, t.Cloud
		p.Topology = found
	}
	return &p
}

// stuck reports that a plan has no way around a link that is cut.
func (s *pipeline) stuck(p *edgeshard.Plan) bool {
	for l := range s.faults.severed {
		if s.uses(p, l[0], l[1]) {
			return true
		}
	}
	return false
}
