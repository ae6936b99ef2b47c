package exec

import "github.com/edgeshard/edgeshard/exec/wire"

// inMemory reports that workers live in this process.
func (c *cluster) inMemory() bool { return c.options.Local == nil && c.allLocal }

// worker returns the local worker, nil if there is none.
func (m *member) worker() *localWorker {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.local
}

func (m *member) setWorker(l *localWorker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.local = l
}

// slay kills the local worker, if there is one, and lets none be started but the
// source's, which nothing could take the place of.
func (m *member) slay() {
	m.mu.Lock()
	l := m.local
	m.slain = m.device != m.cluster.plan.Topology.Source
	m.mu.Unlock()
	if l != nil {
		l.kill()
	}
}

// freeze stops the local worker, or lets it on.
func (m *member) freeze(on bool) {
	if l := m.worker(); l != nil {
		l.freeze(on)
	}
}

// mend says that a worker which has been killed may be started again.
func (m *member) mend() {
	m.mu.Lock()
	dead := m.failure != nil
	m.back, m.slain = m.back || dead, false
	m.mu.Unlock()
	if dead {
		m.cluster.notify()
	}
}

// slow makes the local worker slower by a factor, from now on.
func (m *member) slow(factor float64) {
	m.mu.Lock()
	m.slowed = factor
	m.mu.Unlock()
	e := m.cluster.current()
	if e == nil {
		return
	}
	if s := e.seat(m.device); s != nil && s.stream != nil {
		d, err := m.cluster.dial(m)
		if err != nil {
			return // the load would have failed
		}
		p, _ := d.at(m.cluster.runTime())
		_ = s.send(&wire.Command{Kind: &wire.Command_Pace{Pace: p}}) // listen gets the reason
	}
}

// hurt returns the factor that the worker is slowed by.
func (m *member) hurt() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.slowed == 0 {
		return 1
	}
	return m.slowed
}

// sever cuts a link between two workers of this process, or mends it.
func (c *cluster) sever(from, to int, cut bool) {
	if c.inMemory() {
		c.memory.sever(memoryAddress(c.member(from)), memoryAddress(c.member(to)), cut)
	}
}

// memoryAddress is where a worker within the process listens.
func memoryAddress(m *member) string { return "memory/" + m.name }

// mended takes note that a link works again.
func (e *Engine) mended(link [2]int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.repaired = append(e.repaired, link)
	e.cluster.notify()
}
