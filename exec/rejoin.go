package exec

import (
	"context"
	"time"
)

// awaitReturn waits until a worker that counts as dead answers again: it was
// frozen, cut off, or has been started anew.
func (m *member) awaitReturn() {
	pause := m.cluster.timeout / 4
	for {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-m.cluster.ctx.Done():
			timer.Stop()
			return
		}
		if l := m.worker(); m.address == "" || l != nil && l.ended() {
			return // nobody will answer there
		}
		if m.answers() {
			m.mu.Lock()
			m.back = true
			m.mu.Unlock()
			m.cluster.log.Info("worker is back", "device", m.name)
			m.cluster.notify()
			return
		}
		pause = min(2*pause, 4*m.cluster.timeout)
	}
}

// answers tries to reach the worker on a connection of its own.
func (m *member) answers() bool {
	conn, err := m.dial()
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(m.cluster.ctx, m.cluster.timeout/2)
	defer cancel()
	return m.hello(ctx, conn, m.cluster.timeout/2) == nil
}

// isBack reports that a dead worker answers again.
func (m *member) isBack() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.back
}

// rejoin takes workers in again that are back, and a plan with them if it is
// better.
func (e *Engine) rejoin() error {
	returned := ""
	e.mu.Lock()
	repaired := e.repaired
	e.repaired = nil
	e.mu.Unlock()
	for _, l := range repaired {
		if _, cut := e.condition.links[l]; cut {
			delete(e.condition.links, l)
			returned = "the link " + e.plan.Topology.Devices[l[0]].Name + "→" + e.plan.Topology.Devices[l[1]].Name
		}
	}
	for _, m := range e.cluster.all() {
		if m.isBack() && e.condition.lost[m.device] {
			e.condition.back(m.device)
			returned = m.name
		}
	}
	if returned == "" {
		return nil
	}
	return e.consider(returned+" is back", false)
}
