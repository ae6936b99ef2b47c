package exec

import "time"

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

// idle returns how long to do nothing, so that the work measured since s takes f
// times as long.
func (w *Worker) idle(s stopwatch, f float64) time.Duration {
	if f <= 1 {
		return 0
	}
	work := time.Duration(w.clock() - s.wall)
	if s.alone {
		if now, ok := cpuTime(); ok {
			work = min(work, now-s.cpu)
		}
	}
	return time.Duration(float64(work) * (f - 1))
}
