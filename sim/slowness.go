package sim

import (
	"context"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
)

// A slowness is that of a device which a fault has slowed down.
type slowness struct {
	factor float64
	since  time.Duration
	known  bool
}

// noteSlow takes note of a device that is so slow from now on that it counts as
// failing, if the run is planned anew after failures. It is known after a part of
// the time of detection, as on real workers.
func (s *pipeline) noteSlow(device int, factor float64) {
	if s.scenario.Recovery.Policy != scenarios.Replan || factor <= edgeshard.TooSlow {
		return
	}
	s.faults.slow[device] = slowness{factor: factor, since: s.Now()}
	s.After(time.Duration(edgeshard.SlowAfter*float64(s.detectAfter())), event{kind: slowDetection, flow: int32(device)})
}

// foundSlow is told of a slow device. The run gets another plan if that repays what
// the change costs.
func (s *pipeline) foundSlow(ctx context.Context, device int) error {
	f, slow := s.faults.slow[device]
	used := slices.ContainsFunc(s.plan.Stages, func(st edgeshard.Stage) bool { return st.Device == device })
	if !slow || f.known || s.faults.halted || !used {
		return nil
	}
	f.known = true
	s.faults.slow[device] = f
	s.tell(edgeshard.Span{What: edgeshard.Detection, Request: -1, Stage: -1, Device: device, To: -1, Start: f.since, End: s.Now()})
	job := s.job()
	to, err := s.runner.Replan(ctx, job, s.dead())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || s.stuck(to) || slices.Equal(to.Stages, s.plan.Stages) || !s.repays(job, to) {
		return nil //nolint:nilerr // what runs goes on
	}
	s.planAnew(device)
	s.change(to)
	return nil
}

// repays decides on a change of plan as real workers' coordinator does.
func (s *pipeline) repays(job, to *edgeshard.Plan) bool {
	from := *job
	costs, err := from.Costs()
	if err != nil {
		return false
	}
	from.Predict(costs)
	to.Predict(costs)
	m := edgeshard.Move{From: from.Predicted, To: to.Predicted, Left: -s.tokens}
	for _, r := range s.requests[:s.arrived] {
		m.Left += r.Tokens
	}
	if !s.scenario.Recovery.Cached {
		for _, l := range s.loads(to) {
			m.Cost = max(m.Cost, l.End-l.Start)
		}
	}
	for _, f := range s.live() {
		b := s.flows[f].batch
		for _, r := range b.Requests {
			m.Cost += to.Spec().Loop(costs, to.Stages, models.Pass{Batch: 1, Tokens: r.Prompt + b.Step}, to.Workload.Return).Busy
		}
	}
	return m.Repays()
}
