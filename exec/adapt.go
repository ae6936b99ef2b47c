package exec

import (
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// measured feeds the monitor with what a part of a pass took.
func (e *Engine) measured(f *flight, s edgeshard.Span) {
	if e.options.Replan == nil || e.costs == nil {
		return
	}
	took := s.End - s.Start
	if s.What == edgeshard.Compute {
		if want := e.expected(s.Stage, f); want > 0 {
			e.monitor.measure(part{s.Device, -1}, float64(took)/float64(want), e.profiled(s.Device), e.now())
		}
		return
	}
	if t := e.costs.Transfer(s.Device, s.To, s.Bytes); t.Idle() > 0 && took > 0 {
		e.monitor.measure(part{s.Device, s.To}, float64(took)/float64(t.Idle()), false, e.now())
	}
}

// expected returns what a stage of the present plan should take for a pass.
func (e *Engine) expected(stage int, f *flight) (sum time.Duration) {
	p := models.Pass{Batch: len(f.talks), Tokens: f.positions}
	if f.positions == 1 {
		p.Past = f.batch.Pass().Past
	}
	st := e.epoch.plan.Stages[stage]
	for u := st.From; u < st.To; u++ {
		sum += e.costs.Compute(st.Device, u, p)
	}
	return sum
}

func (e *Engine) profiled(device int) bool {
	return e.plan.Topology.Devices[device].Profile != ""
}

// watchPace looks at how long workers have been computing, and acts where
// something takes too long.
func (e *Engine) watchPace() error {
	if e.options.Replan == nil || e.costs == nil || e.moving != nil {
		return nil
	}
	now := e.now()
	for _, s := range e.epoch.seats {
		b := s.lastHeard()
		if b.mark == 0 || b.stage >= len(e.epoch.plan.Stages) {
			continue
		}
		for _, f := range e.book.flying {
			if want := e.expected(b.stage, f); want > 0 {
				e.monitor.busy(part{s.device, -1}, float64(b.busy)/float64(want), now)
				break
			}
		}
	}
	found := e.monitor.find(now)
	if found == nil {
		return nil
	}
	return e.adapt(found, now)
}

// adapt looks for a better plan for what was found.
func (e *Engine) adapt(found []finding, now time.Duration) error {
	why := ""
	failed := -1
	for i, f := range found {
		name := e.plan.Topology.Devices[f.part.device].Name
		if f.part.to >= 0 {
			name += "→" + e.plan.Topology.Devices[f.part.to].Name
			e.condition.links[[2]int{f.part.device, f.part.to}] = e.bandwidthLeft(f)
		} else {
			e.condition.slower[f.part.device] = f.factor
		}
		if f.failed && failed < 0 {
			failed = i
		}
		why += name + " takes " + f.String() + "; "
	}
	e.monitor.acted(found, now)
	if failed >= 0 {
		f := found[failed]
		start := f.since
		if at, ok := e.hurt(f.part.device, -1); ok {
			start = at
		}
		e.tell(edgeshard.Span{What: edgeshard.Detection, Request: -1, Stage: -1, Device: f.part.device, To: -1, Start: start, End: now})
		defer func() {
			e.tell(edgeshard.Span{What: edgeshard.Replan, Request: -1, Stage: -1, Device: f.part.device, To: -1, Start: now, End: e.now()})
		}()
	}
	return e.consider(why[:len(why)-2], failed >= 0)
}

// bandwidthLeft is the part of a link's bandwidth that explains the time its
// messages took, were their latency as planned.
func (e *Engine) bandwidthLeft(f finding) float64 {
	bytes := int64(4 * e.plan.Model.Config.Dim * e.plan.Workload.MicroBatch)
	t := e.costs.Transfer(f.part.device, f.part.to, bytes)
	took := time.Duration(float64(t.Idle()) * f.factor)
	if took <= t.Latency || t.Occupancy <= 0 {
		return 1
	}
	return min(1, max(float64(t.Occupancy)/float64(took-t.Latency), 1e-6))
}
