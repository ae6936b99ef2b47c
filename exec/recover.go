package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
)

// live runs epochs until the engine closes, which is no error, or one ends in a
// way that there is no going on from.
func (e *Engine) live() error {
	p := e.plan
	for {
		e.epoch = newEpoch(e.ctx, e.cluster, p)
		e.book.limit, e.began = e.epoch.chunk, e.now()
		err := e.epoch.start()
		if err == nil {
			if err = e.ready(); err == nil {
				err = e.drive()
			}
		}
		if err == nil {
			e.epoch.unload(e.obs, e.now())
			e.epoch.close()
			return nil
		}
		var m *migration
		if errors.As(err, &m) {
			p = m.to
			e.migrate(m)
			continue
		}
		if p, err = e.recover(err); err != nil {
			e.epoch.close()
			return err
		}
	}
}

// recover finds a plan to go on with after the end of an epoch.
func (e *Engine) recover(cause error) (*edgeshard.Plan, error) {
	var f *failure
	if !errors.As(cause, &f) || e.ctx.Err() != nil {
		return nil, cause
	}
	dead := e.verify(f)
	if e.ctx.Err() != nil {
		return nil, context.Cause(e.ctx)
	}
	if e.options.Replan == nil || e.futile() {
		return nil, e.explained(f, dead)
	}
	e.detected(f, dead)
	e.abort()
	e.epoch.close()
	e.condition.learn(f, dead, e.plan.Topology.Source, e.now())
	e.lookAfter(f, dead)
	e.cluster.log.Warn("recovery", "why", cause, "without", e.names(e.condition.without()))
	if err := e.awaitSource(dead); err != nil {
		return nil, errors.Join(cause, err)
	}
	began := e.now()
	p, err := e.replanOrWait()
	if err != nil {
		return nil, fmt.Errorf("%w; and the others cannot go on: %w", cause, err)
	}
	e.tell(edgeshard.Span{What: edgeshard.Replan, Request: -1, Stage: -1, Device: blamed(f, dead), To: -1, Start: began, End: e.now()})
	e.cluster.log.Info("new plan", "stages", stagesText(p.Stages))
	return p, nil
}

// futileMost is how many recoveries in a row, beyond one for each device, may
// bring nothing forward.
const futileMost = 8

// futile reports that recoveries follow one another and no pass comes back: what
// is wrong is not of the kind that another plan mends.
func (e *Engine) futile() bool {
	if e.returned != e.progressed {
		e.progressed, e.vain = e.returned, 0
	}
	e.vain++
	return e.vain > len(e.plan.Topology.Devices)+futileMost
}

// replan has the solver plan for the cluster as it is now found.
func (e *Engine) replan() (*edgeshard.Plan, error) {
	job, err := e.condition.job(e.plan)
	if err != nil {
		return nil, err
	}
	without := e.condition.without()
	for d := range e.plan.Topology.Devices {
		if !e.cluster.reachable(d) && !slices.Contains(without, d) {
			without = append(without, d)
		}
	}
	slices.Sort(without)
	p, err := e.options.Replan(e.ctx, job, without)
	if err != nil {
		return nil, err
	}
	p.Workload = e.plan.Workload // the requests that run are in its batches
	return p, p.Validate()
}

// replanOrWait plans without what has failed. If the rest cannot hold the model
// local workers that have ended are started again, and others waited for.
func (e *Engine) replanOrWait() (*edgeshard.Plan, error) {
	p, err := e.replan()
	if err == nil || e.ctx.Err() != nil {
		return p, err
	}
	if e.reviveLocal() {
		if p, err = e.replan(); err == nil {
			return p, nil
		}
	}
	if e.options.Rejoin <= 0 {
		return nil, err
	}
	e.cluster.log.Warn("waiting for devices", "why", err, "for", e.options.Rejoin)
	timer := time.NewTimer(e.options.Rejoin)
	defer timer.Stop()
	for err != nil {
		if e.takeBack() != "" {
			p, err = e.replan()
			continue
		}
		select {
		case <-e.cluster.news:
		case <-timer.C:
			return nil, fmt.Errorf("%w; and nothing that would help came back within %s", err, e.options.Rejoin)
		case <-e.ctx.Done():
			return nil, context.Cause(e.ctx)
		}
	}
	return p, nil
}

// reviveLocal has the local workers that have ended started again, unless a fault
// says otherwise, and reports whether there are any.
func (e *Engine) reviveLocal() (some bool) {
	for _, m := range e.cluster.all() {
		if l := m.worker(); e.condition.lost[m.device] && l != nil && l.ended() && !m.isSlain() {
			e.condition.back(m.device)
			some = true
		}
	}
	return some
}

// verifyEvery is how often those that are asked whether they live are looked at.
const verifyEvery = 5 * time.Millisecond

// verify returns the devices of the epoch that are dead. A worker lives that
// answers a beat of after the failure; its watcher finds out if it does not.
func (e *Engine) verify(f *failure) (dead []int) {
	since := e.epoch.proof()
	if f.blame == gone {
		since = 0 // do not wait for the others: the next epoch finds out
	}
	e.epoch.nudge()
	poll := time.NewTicker(verifyEvery)
	defer poll.Stop()
	for _, s := range e.epoch.seats {
		for s.lost() == nil && s.conn != nil && s.lastHeard().asked < since {
			select {
			case <-poll.C:
			case <-e.ctx.Done():
				return nil
			}
		}
		if s.lost() != nil || s.conn == nil {
			dead = append(dead, s.device)
		}
	}
	return dead
}

// explained returns a failure, by the death that is behind it if there is one.
func (e *Engine) explained(f *failure, dead []int) error {
	if len(dead) == 0 || slices.Contains(dead, f.device) {
		return f
	}
	m := e.cluster.member(dead[0])
	return &DeviceError{Device: m.name, Err: m.lost()}
}

// blamed is the device that a failure is told of.
func blamed(f *failure, dead []int) int {
	if len(dead) > 0 && !slices.Contains(dead, f.device) {
		return dead[0]
	}
	return f.device
}

// detected tells of a failure, which began when the device was last heard.
func (e *Engine) detected(f *failure, dead []int) {
	s := edgeshard.Span{What: edgeshard.Detection, Request: -1, Stage: -1, Device: blamed(f, dead), To: -1, Start: e.now(), End: e.now()}
	if len(dead) == 0 && f.blame == hearsay {
		s.To = f.peer
		if f.since > 0 {
			s.Start = f.since - e.begin
		}
	} else if at := max(e.cluster.member(s.Device).lastHeard().at, time.Duration(e.epoch.passed.Load())); at > 0 {
		s.Start = at - e.begin
	}
	if at, ok := e.hurt(s.Device, s.To); ok {
		s.Start = max(at, e.began) // before that nothing was asked of it
	}
	if s.To < 0 {
		e.faults.told(s.Device)
	}
	e.tell(s)
}

// abort throws away what is in the pipeline.
func (e *Engine) abort() {
	now := e.now()
	for _, f := range e.book.abort() {
		e.tell(edgeshard.Span{
			What: edgeshard.Lost, Request: f.batch.Requests[0].ID, MicroBatch: f.batch.ID, Batch: len(f.batch.Requests),
			Step: f.batch.Step, Stage: -1, Device: -1, To: -1, Start: f.began, End: now,
		})
	}
}

// awaitSource waits for a remote source that is dead; a local one is started
// again with the next epoch.
func (e *Engine) awaitSource(dead []int) error {
	source := e.plan.Topology.Source
	m := e.cluster.member(source)
	if !slices.Contains(dead, source) || m.local != nil {
		return nil
	}
	if e.options.Rejoin <= 0 {
		return errors.New("the source is lost, where the prompts are: no other device can take its place")
	}
	timer := time.NewTimer(e.options.Rejoin)
	defer timer.Stop()
	for !m.isBack() {
		select {
		case <-e.cluster.news:
		case <-timer.C:
			return fmt.Errorf("the source is lost, and did not come back within %s", e.options.Rejoin)
		case <-e.ctx.Done():
			return context.Cause(e.ctx)
		}
	}
	return nil
}

func (e *Engine) names(devices []int) []string {
	names := make([]string, len(devices))
	for i, d := range devices {
		names[i] = e.plan.Topology.Devices[d].Name
	}
	return names
}

// stagesText is a plan's stages in one line.
func stagesText(stages []edgeshard.Stage) string {
	text := ""
	for _, s := range stages {
		text += fmt.Sprintf(" %s[%d,%d)", s.Name, s.From, s.To)
	}
	return text[1:]
}
