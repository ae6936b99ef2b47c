package exec

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/models"
)

// A store is what a worker keeps for a coordinator from one session to the next:
// units of a model, so that only what is new is loaded after the plan has
// changed. It stays as long as the coordinator's beats come.
type store struct {
	coordinator string
	model       string // reference and shape
	checkpoint  models.Checkpoint
	unpin       func() // lets go of its files in the cache; nil: they are not there
	units       map[int]*llama.Unit
}

// retain frees all units but those wanted.
func (st *store) retain(wanted func(unit int) bool) {
	for i, u := range st.units {
		if !wanted(i) {
			u.Free()
			delete(st.units, i)
		}
	}
}

// bytes returns the weights held.
func (st *store) bytes() (n int64) {
	for _, u := range st.units {
		n += u.Bytes()
	}
	return n
}

// add loads the units of [from, to) that are missing.
func (st *store) add(from, to int, o llama.Options) error {
	for from < to {
		if st.units[from] != nil {
			from++
			continue
		}
		end := from + 1
		for end < to && st.units[end] == nil {
			end++
		}
		units, err := llama.Units(st.checkpoint, from, end, o)
		if err != nil {
			return err
		}
		for _, u := range units {
			st.units[u.Index()] = u
		}
		from = end
	}
	return nil
}

// shard makes a shard of units [from, to), which are all there.
func (st *store) shard(from, to int, o llama.Options) (*llama.Shard, error) {
	units := make([]*llama.Unit, 0, to-from)
	for i := from; i < to; i++ {
		units = append(units, st.units[i])
	}
	return llama.Of(st.checkpoint.Config(), units, o)
}

// free gives back all that the store holds.
func (st *store) free() error {
	st.retain(func(int) bool { return false })
	if st.checkpoint == nil {
		return nil
	}
	c := st.checkpoint
	st.checkpoint = nil
	if st.unpin != nil {
		st.unpin()
		st.unpin = nil
	}
	if err := c.Close(); err != nil {
		return fmt.Errorf("close model: %w", err)
	}
	return nil
}

// reopen puts another checkpoint of the same model in the place of the store's.
// Packed units do not need it; the embedding does.
func (st *store) reopen(c models.Checkpoint, unpin func()) error {
	kept := st.units
	st.units = make(map[int]*llama.Unit)
	if u := kept[0]; u != nil {
		st.units[0] = u
		delete(kept, 0)
	}
	err := st.free()
	st.units, st.checkpoint, st.unpin = kept, c, unpin
	return err
}

// take returns the worker's store for a coordinator and a model, empty unless
// there is one that it left. Another's is freed.
func (w *Worker) take(coordinator, model string) *store {
	w.mu.Lock()
	st := w.kept
	w.kept = nil
	w.mu.Unlock()
	if st != nil && coordinator != "" && st.coordinator == coordinator && st.model == model {
		return st
	}
	w.drop(st)
	return &store{coordinator: coordinator, model: model, units: make(map[int]*llama.Unit)}
}

// keep keeps a store until its coordinator takes it or its lease ends.
func (w *Worker) keep(st *store, lease time.Duration) {
	if st.coordinator == "" {
		w.drop(st)
		return
	}
	w.mu.Lock()
	w.kept = st
	w.mu.Unlock()
	w.expire(st, lease)
}

// expire drops a store once its coordinator has been silent for its lease.
func (w *Worker) expire(st *store, lease time.Duration) {
	if rest := lease - w.silence(st.coordinator); rest > 0 {
		time.AfterFunc(rest, func() { w.expire(st, lease) })
		return
	}
	w.mu.Lock()
	expired := w.kept == st
	if expired {
		w.kept = nil
	}
	w.mu.Unlock()
	if expired {
		bytes := st.bytes()
		w.drop(st)
		debug.FreeOSMemory() // nobody waits for the worker
		logger(w.options.Log).Info("lease ends", "bytes", bytes)
	}
}

func (w *Worker) drop(st *store) {
	if st == nil {
		return
	}
	if err := st.free(); err != nil {
		logger(w.options.Log).Warn("free units", "err", err)
	}
}
