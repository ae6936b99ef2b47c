package exec

import (
	"fmt"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// loadRate is what workers are taken to load in a second, before any load has
// been measured.
const loadRate = 200e6

// A migration ends an epoch for a better plan, when what is in the pipeline has
// come back, or by a time.
type migration struct {
	to     *edgeshard.Plan
	by     time.Duration
	forced bool // by a failure, which is told of already
}

func (m *migration) Error() string { return "the plan is changed to " + stagesText(m.to.Stages) }

// consider changes the plan, for a reason, if the solver has a better one that
// repays the move.
func (e *Engine) consider(why string, forced bool) error {
	if e.moving != nil {
		return nil
	}
	e.better = ""
	to, err := e.replan()
	if err != nil {
		return nil //nolint:nilerr // what runs goes on
	}
	from, err := e.condition.job(e.plan)
	if err != nil {
		return err
	}
	from.Stages = e.epoch.plan.Stages
	if slices.Equal(from.Stages, to.Stages) {
		return nil
	}
	costs, err := from.Costs()
	if err != nil {
		return err
	}
	from.Predict(costs)
	to.Predict(costs)
	m := edgeshard.Move{From: from.Predicted, To: to.Predicted, Left: e.left(), Cost: e.moveCost(costs, from, to)}
	verdict := "stays"
	if m.Repays() {
		verdict = "moves"
	}
	e.cluster.log.Info("plan considered", "why", why, "verdict", verdict, "from", stagesText(from.Stages), "to", stagesText(to.Stages),
		"tokens_per_s", fmt.Sprintf("%.3g → %.3g", from.Predicted.Throughput, to.Predicted.Throughput), "tokens_left", m.Left, "cost", m.Cost.Round(time.Millisecond))
	if !m.Repays() {
		e.better = why // perhaps when nothing runs
		return nil
	}
	e.moving = &migration{to: to, by: e.now() + e.cluster.timeout, forced: forced}
	return nil
}

// left returns how many tokens a plan is likely to have to generate: none where no
// request runs, since a change then costs nobody anything.
func (e *Engine) left() int {
	left := e.book.left()
	if left > 0 {
		left = max(left, e.demand.minute(e.now()))
	}
	return left
}

// atBoundary considers again, where nothing runs, what did not repay before.
func (e *Engine) atBoundary() error {
	if e.better == "" || e.moving != nil || !e.book.rests() {
		return nil
	}
	return e.consider(e.better, false)
}

// moveCost estimates what a change of plan takes: the longest load of a device,
// and all KV caches computed again.
func (e *Engine) moveCost(c edgeshard.Costs, from, to *edgeshard.Plan) time.Duration {
	foot, bytes := to.Footprint(), make(map[int]int64)
	before := make(map[int]int)
	for _, s := range from.Stages {
		for u := s.From; u < s.To; u++ {
			before[u] = s.Device
		}
	}
	longest := int64(0)
	for _, s := range to.Stages {
		for u := s.From; u < s.To; u++ {
			if before[u] != s.Device {
				bytes[s.Device] += foot.Weights(u)
				longest = max(longest, bytes[s.Device])
			}
		}
	}
	cost := time.Duration(float64(longest) / e.loadSpeed() * 1e9)
	for _, positions := range e.book.cached() {
		l := to.Spec().Loop(c, to.Stages, models.Pass{Batch: 1, Tokens: positions}, to.Workload.Return)
		cost += l.Busy
	}
	return cost
}

// loadSpeed returns the bytes that a worker loads in a second, as measured.
func (e *Engine) loadSpeed() float64 {
	if e.loaded.took > 0 && e.loaded.bytes > 0 {
		return float64(e.loaded.bytes) / e.loaded.took.Seconds()
	}
	return loadRate
}

// migrate ends the epoch for a better plan.
func (e *Engine) migrate(m *migration) {
	now := e.now()
	e.abort()
	if !m.forced {
		e.tell(edgeshard.Span{What: edgeshard.Migrate, Request: -1, Stage: -1, Device: -1, To: -1, Start: now, End: now})
	}
	e.epoch.close()
	e.monitor.forget()
	e.moving = nil
}
