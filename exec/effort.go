package exec

import "time"

// mostLate bounds how much of a sleep that ended late the next one makes up for.
const mostLate = time.Millisecond

// habits are what the stretching of a session's computations goes by.
type habits struct {
	work map[bool]time.Duration // of the last pass that was, and was not, a prefill
	late time.Duration          // of the last sleep, to be made up for
}

// An effort is a computation that may have to take longer than its work.
type effort struct {
	prefill bool
	begin   int64
	watch   stopwatch // of the work itself
	release func()    // gives the turn back
}

// start begins a computation that is to take f times as long. Where that is
// longer it waits for its turn among the workers of the machine, in the time in
// which it would idle later.
func (s *session) start(f float64, prefill bool) effort {
	e := effort{prefill: prefill, begin: s.worker.clock(), release: func() {}}
	if f > 1 {
		e.release, _ = s.worker.turns.take(s.ctx, time.Duration((f-1)*float64(s.habits.work[prefill])))
	}
	e.watch = s.worker.stopwatch()
	return e
}

// finish idles until the computation has taken f times as long as its work.
func (s *session) finish(e effort, f float64) {
	work := s.worker.work(e.watch)
	e.release()
	if f <= 1 {
		return
	}
	if s.habits.work == nil {
		s.habits.work = make(map[bool]time.Duration)
	}
	s.habits.work[e.prefill] = work
	due := e.begin + int64(f*float64(work)) - int64(s.habits.late)
	sleep(s.ctx, time.Duration(due-s.worker.clock()))
	s.habits.late = min(max(time.Duration(s.worker.clock()-due), 0), mostLate)
	s.idleness.add(work, time.Duration(s.worker.clock()-e.begin)-work)
}
