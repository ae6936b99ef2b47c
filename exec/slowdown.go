package exec

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// A pace is how many times longer computations are to take; it may change while
// the worker runs.
type pace struct{ now atomic.Pointer[wire.Pace] }

// set changes the pace; a prefill slowdown of 0 is as the other.
func (p *pace) set(w *wire.Pace) error {
	for _, f := range []float64{w.GetSlowdown(), w.GetPrefillSlowdown()} {
		if !(f >= 0 && f <= 1e6) {
			return fmt.Errorf("slowdown %g: want 0 to 1e6", f)
		}
	}
	p.now.Store(w)
	return nil
}

// of returns the slowdown of a pass.
func (p *pace) of(pass *wire.Pass) float64 { return p.with(int(pass.GetSequences()[0].GetNew())) }

// with returns the slowdown of a pass with so many new positions of a sequence; one
// of several is a prefill.
func (p *pace) with(n int) float64 {
	w := p.now.Load()
	if f := w.GetPrefillSlowdown(); f > 0 && n > 1 {
		return f
	}
	return w.GetSlowdown()
}

// repace obeys a change of the pace.
func (s *session) repace(w *wire.Pace) error { return s.pace.set(w) }

// expect hands on what the coordinator says of an arbitrated link.
func (s *session) expect(e *wire.Expect) error {
	s.linking.Lock()
	l := s.links[e.GetTo()]
	s.linking.Unlock()
	if l == nil || l.shape == nil {
		return errors.New("word of a link that is not shaped")
	}
	l.shape.expect(e)
	return nil
}

// An idleness is what slowing a worker has come to.
type idleness struct {
	mu         sync.Mutex
	work, idle time.Duration
}

func (i *idleness) add(work, idle time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.work += work
	i.idle += idle
}

// imitation returns what slowing the worker and shaping its links came to.
func (s *session) imitation() *wire.Imitation {
	s.idleness.mu.Lock()
	m := &wire.Imitation{WorkNs: int64(s.idleness.work), IdleNs: int64(s.idleness.idle), Enforced: s.limit.by}
	s.idleness.mu.Unlock()
	s.linking.Lock()
	defer s.linking.Unlock()
	for _, l := range s.links {
		if l.shape != nil {
			m.Links = append(m.Links, l.shape.account())
		}
	}
	return m
}

// A stopwatch measures work that a slowdown is to stretch. A worker of one
// thread, alone in its process, is charged the processor time it used: what the
// machine gave to others meanwhile would be multiplied else. Others are charged
// the time that went by.
type stopwatch struct {
	alone bool
	wall  int64
	cpu   time.Duration
}

func (w *Worker) stopwatch() stopwatch {
	s := stopwatch{wall: w.clock()}
	if w.options.OwnProcess && w.pool.Threads() == 1 {
		s.cpu, s.alone = cpuTime()
	}
	return s
}

// work returns the work since s.
func (w *Worker) work(s stopwatch) time.Duration {
	work := time.Duration(w.clock() - s.wall)
	if s.alone {
		if now, ok := cpuTime(); ok {
			work = min(work, now-s.cpu)
		}
	}
	return work
}
