package sim

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/scenarios/network"
)

// faults are what is wrong with the cluster at present.
type faults struct {
	delivered bool // the weights are where they are needed
	halted    bool // nothing enters until the run is planned anew
	byToken   []int32
	links     []*scenarios.Fault // in force
	cuts      map[[2]int]time.Duration
	severed   map[[2]int]bool // links that plans do without
	slow      map[int]slowness
	detected  map[int]bool    // devices known dead
	lost      int             // the one the run is planned anew for
	next      *edgeshard.Plan // the new plan
}

// scheduleFaults sets the faults of a time; those of a token wait for it.
func (s *pipeline) scheduleFaults() {
	s.faults.cuts, s.faults.detected = make(map[[2]int]time.Duration), make(map[int]bool)
	s.faults.severed, s.faults.slow = make(map[[2]int]bool), make(map[int]slowness)
	for i := range s.scenario.Faults {
		if at := s.scenario.Faults[i].At; at != nil {
			s.At(time.Duration(*at), event{kind: faultStart, flow: int32(i)})
		} else {
			s.faults.byToken = append(s.faults.byToken, int32(i))
		}
	}
	slices.SortStableFunc(s.faults.byToken, func(a, b int32) int {
		return cmp.Compare(s.scenario.Faults[a].Token, s.scenario.Faults[b].Token)
	})
}

// reached starts the faults whose token has been generated.
func (f *faults) reached(s *pipeline) {
	for len(f.byToken) > 0 && s.scenario.Faults[f.byToken[0]].Token <= s.tokens {
		s.At(s.Now(), event{kind: faultStart, flow: f.byToken[0]})
		f.byToken = f.byToken[1:]
	}
}

func (s *pipeline) handleFault(ctx context.Context, e event) error {
	switch e.kind {
	case batteryTick:
		s.kill(int(e.flow))
	case faultStart:
		s.startFault(e.flow)
	case faultEnd:
		s.endFault(e.flow)
	case detection:
		if d := &s.devices[e.flow]; (d.dead || d.frozen) && d.deaths == e.epoch {
			return s.lose(ctx, int(e.flow))
		}
	case slowDetection:
		return s.foundSlow(ctx, int(e.flow))
	case linkDetection:
		return s.loseLink(ctx, int(e.flow), int(e.epoch))
	case resumption:
		return s.resume(ctx)
	}
	return nil
}

func (s *pipeline) startFault(i int32) {
	f := &s.scenario.Faults[i]
	device, _ := s.plan.Topology.Index(f.Device)
	switch f.Do {
	case scenarios.Kill:
		s.kill(device)
	case scenarios.Freeze:
		s.freeze(device)
	case scenarios.Slow:
		s.reslow(device, func(d *station) { d.fault = f.Factor })
		s.noteSlow(device, f.Factor)
	case scenarios.Cut, scenarios.Degrade:
		s.faults.links = append(s.faults.links, f)
		s.relink()
	case scenarios.Recover:
		s.recover(f)
		return
	}
	if f.For > 0 {
		s.After(time.Duration(f.For), event{kind: faultEnd, flow: i})
	}
}

// endFault undoes a fault that was for a time only.
func (s *pipeline) endFault(i int32) {
	f := &s.scenario.Faults[i]
	if f.Device != "" {
		device, _ := s.plan.Topology.Index(f.Device)
		if !s.devices[device].dead { // what a death has put an end to
			s.recover(f)
		}
		return
	}
	s.faults.links = slices.DeleteFunc(s.faults.links, func(g *scenarios.Fault) bool { return g == f })
	s.relink()
}

// recover makes a device, or a link, as good as new. A device that was killed
// has lost what it held: it counts as dead until the run is planned anew.
func (s *pipeline) recover(f *scenarios.Fault) {
	if f.Device == "" {
		same := func(g *scenarios.Fault) bool {
			return slices.Equal(g.Between, f.Between) && g.From == f.From && g.To == f.To
		}
		s.faults.links = slices.DeleteFunc(s.faults.links, same)
		s.relink()
		return
	}
	device, _ := s.plan.Topology.Index(f.Device)
	d := &s.devices[device]
	switch {
	case d.dead && s.faults.detected[device]:
		s.down(device)
		d.dead, d.frozen, d.fault = false, false, 0
		delete(s.faults.detected, device)
	case d.dead: // it answers, and has no weights
		s.At(s.Now(), event{kind: detection, flow: int32(device), epoch: d.deaths})
	default:
		if d.frozen {
			s.down(device)
			delete(s.faults.detected, device)
		}
		s.reslow(device, func(d *station) { d.frozen, d.fault = false, 0 })
		delete(s.faults.slow, device)
	}
}

// kill stops a device for good; what it did is lost.
func (s *pipeline) kill(device int) {
	d := &s.devices[device]
	if d.dead {
		return
	}
	s.reslow(device, func(d *station) { d.dead = true })
	s.silent(device)
}

// freeze lets a device stand still, unless it is dead or does already.
func (s *pipeline) freeze(device int) {
	if d := &s.devices[device]; d.dead || d.frozen {
		return
	}
	s.reslow(device, func(d *station) { d.frozen = true })
	s.silent(device)
}

// silent waits until a device's silence counts as its death.
func (s *pipeline) silent(device int) {
	d := &s.devices[device]
	d.died = s.Now()
	d.deaths++
	s.After(s.detectAfter(), event{kind: detection, flow: int32(device), epoch: d.deaths})
}

// down tells that a device did not work until now.
func (s *pipeline) down(device int) {
	s.tell(edgeshard.Span{What: edgeshard.Down, Request: -1, Stage: -1, Device: device, To: -1, Start: s.devices[device].died, End: s.Now()})
}

// linkFactor is the part of a link's bandwidth that the faults in force leave.
func (s *pipeline) linkFactor(p *network.Port) float64 {
	return scenarios.Bandwidth(s.faults.links, s.plan.Topology, p.From, p.To)
}

// relink applies the link faults in force.
func (s *pipeline) relink() {
	before := make(map[*network.Port]float64)
	for _, p := range s.network.Ports() {
		before[p] = p.Factor()
	}
	s.network.SetFactors(s.linkFactor, s.Now())
	for _, p := range s.network.Ports() {
		key := [2]int{p.From, p.To}
		if since, ok := s.faults.cuts[key]; ok && before[p] == 0 && p.Factor() > 0 {
			s.tell(edgeshard.Span{What: edgeshard.Down, Request: -1, Stage: -1, Device: p.From, To: p.To, Start: since, End: s.Now()})
			delete(s.faults.cuts, key)
			delete(s.faults.severed, key)
		}
		if before[p] > 0 && p.Factor() == 0 {
			s.noteCut(p.From, p.To)
		}
	}
	s.tickNetwork()
}

// endFaults tells of the devices and links that do not work at the end.
func (s *pipeline) endFaults() {
	for i := range s.devices {
		if d := &s.devices[i]; d.dead || d.frozen {
			s.down(i)
		}
	}
	for i := range s.links {
		l := &s.links[i]
		if since, ok := s.faults.cuts[[2]int{l.from, l.to}]; ok {
			s.tell(edgeshard.Span{What: edgeshard.Down, Request: -1, Stage: -1, Device: l.from, To: l.to, Start: since, End: s.Now()})
		}
	}
}

// maxIdle is how many events may pass of which nothing can be told, such as the
// changes of a trace that leaves a link without bandwidth.
const maxIdle = 10_000_000

var errStalled = errors.New("the run stands still: what it waits for does not come, as a link is cut or without bandwidth for good")

// stalled is why a run with open requests has nothing more to do.
func (s *pipeline) stalled() error {
	s.memory.close(s.Now())
	s.endFaults()
	return errStalled
}
