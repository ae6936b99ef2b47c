package tui

import (
	"context"
	"sync"
	"time"
)

// A worker does one thing at a time, the newest: a newer revision ends the one
// that is being worked on and takes its place.
type worker struct {
	busy   sync.Mutex // held while something is done
	mu     sync.Mutex // of what follows
	newest int
	cancel context.CancelFunc
}

// do calls f unless there is a newer revision, and tells whether its result is
// still wanted. f must return soon after its context ends.
func (w *worker) do(rev int, f func(ctx context.Context)) bool {
	if !w.announce(rev) {
		return false
	}
	w.busy.Lock()
	defer w.busy.Unlock()
	ctx, ok := w.begin(rev)
	if !ok {
		return false
	}
	f(ctx)
	return w.end(rev)
}

// announce makes rev the newest, if it is, and ends work on older ones.
func (w *worker) announce(rev int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if rev < w.newest {
		return false
	}
	if rev > w.newest && w.cancel != nil {
		w.cancel()
	}
	w.newest = rev
	return true
}

func (w *worker) begin(rev int) (context.Context, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if rev < w.newest {
		return nil, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	return ctx, true
}

func (w *worker) end(rev int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel()
	w.cancel = nil
	return rev == w.newest
}

// stopTimeout is how long the end of work is waited for.
const stopTimeout = 3 * time.Second

// stop ends what is being done, and waits a while for its end.
func (w *worker) stop() {
	w.mu.Lock()
	w.newest++
	if w.cancel != nil {
		w.cancel()
	}
	w.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		w.busy.Lock()
		w.busy.Unlock() //nolint:staticcheck // it was only waited for
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(stopTimeout):
	}
}
