package exec

import (
	"sync/atomic"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// A tally counts what a session does, for whoever asks meanwhile.
type tally struct {
	began     time.Time
	weights   atomic.Int64 // bytes loaded
	passes    atomic.Uint64
	busy      atomic.Int64 // ns
	sequences atomic.Int64 // with a KV cache
}

func (t *tally) pass(busy int64, sequences int) {
	t.passes.Add(1)
	t.busy.Add(busy)
	t.sequences.Store(int64(sequences))
}

// tell adds what the session does to a worker's status.
func (s *session) tell(r *wire.StatusReply) {
	r.State = "loading"
	if s.isOpen() {
		r.State = "serving"
	}
	r.Model = s.load.GetModel()
	for i, st := range s.load.GetStages() {
		if s.own(i) {
			r.Stages = append(r.Stages, st)
		}
	}
	t := &s.tally
	r.WeightBytes, r.Passes, r.BusyNs = t.weights.Load(), t.passes.Load(), t.busy.Load()
	r.Sequences, r.SessionNs = uint32(t.sequences.Load()), int64(time.Since(t.began))
}

// logSequence tells, to whoever wants details, of a sequence that begins here, by
// the name its client knows it by.
func (s *session) logSequence(q *wire.Sequence, stage uint32) {
	logger(s.worker.options.Log).Debug("sequence", "request", q.GetName(), "sequence", q.GetRequest(), "stage", stage,
		"new", q.GetNew(), "positions", q.GetReserve(), "session", s.load.GetSession()[:8])
}
