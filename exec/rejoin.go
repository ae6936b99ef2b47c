package exec

import (
	"context"
	"time"
)

const (
	// deathMemory is how long a worker must live for its deaths not to count.
	deathMemory = 10 * time.Minute
	// longestPause is between two looks at what does not come back, at most.
	longestPause = 5 * time.Minute
)

// backOff is the n-th pause of those that double, from a first one on.
func backOff(first time.Duration, n int) time.Duration {
	return min(first<<min(n, 16), longestPause)
}

// awaitReturn waits until a worker that counts as dead can be had again: it was
// frozen, cut off, or has been started anew; or its process, which the coordinator
// started, has ended and may be started once more. A death of it ends the wait for
// a return from the one before.
func (m *member) awaitReturn(death time.Time) {
	for n := 0; ; n++ {
		l := m.worker()
		ended := l != nil && l.ended()
		pause := min(backOff(m.cluster.timeout/4, n), 4*m.cluster.timeout)
		if ended {
			pause = backOff(m.cluster.timeout, m.recentDeaths())
		}
		await(m.cluster.ctx, pause, nil)
		if m.cluster.ctx.Err() != nil || !m.isDeadSince(death) || l == nil && m.address == "" {
			return // else nobody will answer there
		}
		if ended && !m.isSlain() || !ended && m.answers() {
			m.mu.Lock()
			m.back = true
			m.mu.Unlock()
			m.cluster.log.Info("worker is back", "device", m.name)
			m.cluster.notify()
		}
		if ended || m.isBack() {
			return
		}
	}
}

func (m *member) recentDeaths() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.deaths
}

// isDeadSince reports that the worker counts as dead for a certain death.
func (m *member) isDeadSince(death time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failure != nil && m.died.Equal(death)
}

// isSlain reports that a fault has killed the worker, and is not over.
func (m *member) isSlain() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slain
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

// isBack reports that a dead worker can be had again.
func (m *member) isBack() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.back
}

// rejoin takes in again what is back, and a plan with it if that is better.
func (e *Engine) rejoin() error {
	if returned := e.takeBack(); returned != "" {
		return e.consider(returned+" is back", false)
	}
	return nil
}

// takeBack takes note of the workers and links that are back, and names one.
func (e *Engine) takeBack() (returned string) {
	e.mu.Lock()
	repaired := e.repaired
	e.repaired = nil
	e.mu.Unlock()
	for _, l := range repaired {
		if _, cut := e.condition.links[l]; cut {
			delete(e.condition.links, l)
			returned = "the link " + e.linkName(l)
			e.cluster.log.Info("link is back", "link", e.linkName(l))
		}
	}
	for _, m := range e.cluster.all() {
		if m.isBack() && e.condition.lost[m.device] {
			e.condition.back(m.device)
			returned = m.name
		}
	}
	return returned
}

func (e *Engine) linkName(l [2]int) string {
	d := e.plan.Topology.Devices
	return d[l[0]].Name + "→" + d[l[1]].Name
}
