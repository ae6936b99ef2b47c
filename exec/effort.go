package exec

import (
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/internal/sample"
)

const (
	// mostLate bounds how much of a sleep that ended late the next one makes up for.
	mostLate = time.Millisecond
	// fewPasses are those whose work says what a pass takes.
	fewPasses = 9
	// firstTurn is how long the first pass of a kind waits for its turn at most: what
	// it may take is not known well.
	firstTurn = 100 * time.Millisecond
	// disturbed is how many times its work a computation may take that did not get its
	// turn: it is not to come to its end too late for that.
	disturbed = 1.5
)

// habits are what the stretching of a session's computations goes by.
type habits struct {
	work     map[kindOfPass]*recent
	expected map[kindOfPass]time.Duration // before the run, when it warmed up
	late     time.Duration                // of the last sleep, to be made up for
}

// expect takes note of the work of a pass before the run.
func (h *habits) expect(kind kindOfPass, work time.Duration) {
	if h.expected == nil {
		h.expected = make(map[kindOfPass]time.Duration)
	}
	h.expected[kind] = work
}

// patience is how long a pass that is to take f times its work may wait for its turn.
func (h *habits) patience(kind kindOfPass, f float64) time.Duration {
	spare := max(0, f-disturbed)
	if r := h.work[kind]; r != nil {
		return time.Duration(spare * float64(r.now()))
	}
	return min(firstTurn, time.Duration(spare*float64(h.expected[kind])))
}

// A kindOfPass is what passes have in common that take about as long.
type kindOfPass struct {
	stage, rows uint32
	decode      bool
}

// recent is the work of the last passes of a kind.
type recent struct{ work []time.Duration }

// typical takes a pass into account and returns the median of the last ones. A
// slower device has memory and caches of its own: what other work on this machine
// does to a single pass would be multiplied else.
func (r *recent) typical(work time.Duration) time.Duration {
	if len(r.work) == fewPasses {
		r.work = r.work[1:]
	}
	r.work = append(r.work, work)
	return r.now()
}

// now returns the median so far.
func (r *recent) now() time.Duration { return sample.Median(r.work) }

// An effort is a computation that may have to take longer than its work.
type effort struct {
	kind    kindOfPass
	begin   int64
	watch   stopwatch // of the work itself
	release func()    // gives the turn back
}

// start begins a computation that is to take f times as long. Where that is
// longer it waits for its turn among the workers of the machine, in the time in
// which it would idle later.
func (s *session) start(f float64, p *wire.Pass) effort {
	e := effort{kind: kindOfPass{stage: p.GetStage(), decode: p.GetStep() > 0}, begin: s.worker.clock(), release: func() {}}
	for _, q := range p.GetSequences() {
		e.kind.rows += q.GetNew()
	}
	if f > 1 {
		e.release, _ = s.worker.turns.take(s.ctx, s.habits.patience(e.kind, f))
	}
	e.watch = s.worker.stopwatch()
	return e
}

// finish idles until the computation has taken f times what such ones take.
func (s *session) finish(e effort, f float64) {
	work := s.worker.work(e.watch)
	e.release()
	if f <= 1 {
		return
	}
	if s.habits.work == nil {
		s.habits.work = make(map[kindOfPass]*recent)
	}
	r := s.habits.work[e.kind]
	if r == nil {
		r = &recent{}
		s.habits.work[e.kind] = r
	}
	due := e.begin + int64(f*float64(r.typical(work))) - int64(s.habits.late)
	sleep(s.ctx, time.Duration(due-s.worker.clock()))
	s.habits.late = min(max(time.Duration(s.worker.clock()-due), 0), mostLate)
	s.idleness.add(work, time.Duration(s.worker.clock()-e.begin)-work)
}
