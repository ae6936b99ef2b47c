package sim

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim/des"
)

// lose is told of a device's death. If the plan needs the device, its requests
// fail, or the survivors get a new plan.
func (s *pipeline) lose(ctx context.Context, device int) error {
	if s.faults.detected[device] {
		return nil
	}
	s.faults.detected[device] = true
	s.tell(edgeshard.Span{What: edgeshard.Detection, Request: -1, Stage: -1, Device: device, To: -1, Start: s.devices[device].died, End: s.Now()})
	needed := slices.ContainsFunc(s.plan.Stages, func(st edgeshard.Stage) bool { return st.Device == device })
	if !needed || s.faults.halted {
		return nil // what is being planned is planned again at its resumption
	}
	if s.scenario.Recovery.Policy != scenarios.Replan || device == s.plan.Topology.Source {
		s.fail(device)
		return nil
	}
	s.planAnew(device)
	return s.replan(ctx)
}

// planAnew throws away what is in the pipeline and halts the run until there is a
// plan without what a device's failure, or one that it tells of, has taken away.
func (s *pipeline) planAnew(device int) {
	s.abort()
	s.faults.halted = true
	s.faults.lost = device
	s.tell(edgeshard.Span{What: edgeshard.Replan, Request: -1, Stage: -1, Device: device, To: -1, Start: s.Now(), End: s.Now() + s.planning()})
}

// planning is the time that a new plan takes.
func (s *pipeline) planning() time.Duration { return time.Duration(s.scenario.Recovery.Plan) }

// fail gives up every request that has not ended, and the run with them.
func (s *pipeline) fail(device int) {
	s.abort()
	now := s.Now()
	for _, r := range append(s.batcher.Unfinished(), s.requests[s.arrived:]...) {
		s.tell(edgeshard.Span{What: edgeshard.Failed, Request: r.ID, Stage: -1, Device: device, To: -1, Start: min(r.Arrival, now), End: now})
	}
	s.open = 0
}

// live returns the flows of micro-batches, in the order these were formed.
func (s *pipeline) live() []int32 {
	var flows []int32
	for i := range s.flows {
		if s.flows[i].batch != nil && s.flows[i].parent < 0 {
			flows = append(flows, int32(i))
		}
	}
	slices.SortFunc(flows, func(a, b int32) int { return cmp.Compare(s.flows[a].batch.ID, s.flows[b].batch.ID) })
	return flows
}

// abort throws away what is in the pipeline.
func (s *pipeline) abort() {
	for _, f := range s.live() {
		fl := &s.flows[f]
		if fl.inside {
			s.tell(s.span(edgeshard.Lost, f, -1, -1, -1))
		}
		fl.epoch++
	}
	for i := range s.flows {
		if s.flows[i].batch != nil && s.flows[i].parent >= 0 {
			s.forget(int32(i))
		}
	}
	for i := range s.devices {
		d := &s.devices[i]
		s.Cancel(d.end)
		d.end, d.busy, d.queue = 0, false, des.Queue[int32]{}
		s.heat(i)
	}
	for i := range s.links {
		s.links[i].free = s.Now()
	}
	if s.network != nil {
		s.dropNetwork()
	}
}

// replan goes on with a plan for the cluster as it is now known, if there is one.
func (s *pipeline) replan(ctx context.Context) error {
	p, err := s.runner.Replan(ctx, s.job(), s.dead())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || s.stuck(p) {
		s.fail(s.faults.lost)
		return nil
	}
	s.change(p)
	return nil
}

// dead returns the devices known to be, in order.
func (s *pipeline) dead() []int {
	lost := make([]int, 0, len(s.faults.detected))
	for d := range s.faults.detected {
		lost = append(lost, d)
	}
	slices.Sort(lost)
	return lost
}

// change resumes the run with another plan when that is made and its weights and,
// from a replica, its KV caches are where they belong.
func (s *pipeline) change(p *edgeshard.Plan) {
	wait := s.planning()
	p.Topology = s.plan.Topology
	s.faults.next = p
	ready := s.Now() + wait
	for _, l := range s.loads(p) {
		l.Start, l.End = l.Start+wait, l.End+wait
		s.tell(l)
		ready = max(ready, l.End)
	}
	if s.scenario.Recovery.Replica {
		ready += s.replicas(p)
	}
	s.At(ready, event{kind: resumption})
}

// replicas returns the time in which the source sends the KV caches of all
// sequences that are new to their device.
func (s *pipeline) replicas(p *edgeshard.Plan) (longest time.Duration) {
	before, bytes := owners(s.plan), make(map[int]int64)
	for u, d := range owners(p) {
		if before[u] == d {
			continue
		}
		for _, f := range s.live() {
			for _, r := range s.flows[f].batch.Requests {
				bytes[d] += s.rates.kv(d, u, r.Prompt+s.flows[f].batch.Step)
			}
		}
	}
	for d, n := range bytes {
		longest = max(longest, s.rates.Transfer(p.Topology.Source, d, n).Idle())
	}
	return longest
}

// resume goes on with a new plan, unless a device of it has died meanwhile.
func (s *pipeline) resume(ctx context.Context) error {
	p := s.faults.next
	s.faults.halted = false
	s.memory.close(s.Now())
	if err := s.install(p); err != nil {
		return err
	}
	s.shelve(p)
	s.memory.since(s.Now())
	for _, st := range p.Stages {
		if s.faults.detected[st.Device] {
			delete(s.faults.detected, st.Device)
			return s.lose(ctx, st.Device)
		}
	}
	if err := s.memory.load(); err != nil {
		return err
	}
	for _, f := range s.live() {
		s.revive(f)
	}
	return nil
}

// revive lets a micro-batch go on under a new plan: its pass enters again, over
// all its tokens unless a replica has its KV caches.
func (s *pipeline) revive(f int32) {
	fl := &s.flows[f]
	fl.rebuild = fl.batch.Step > 0 && !s.scenario.Recovery.Replica
	m := fl.batch
	if s.scenario.KV == scenarios.Grow {
		fl.grown = -1
	} else if !s.reserve(m) {
		s.forget(f)
		return
	}
	if fl.inside {
		fl.inside = false
		if !s.enter(f) {
			s.waiting = append(s.waiting, f)
		}
	}
}
