//go:build unix

package exec

import (
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// turns let the slowed workers of a machine compute one after another: each waits
// for the others in the time in which it would idle anyway. The turn is a lock on
// the program's own file, which the system takes back from a process that ends.
type turns struct {
	file *os.File

	mu      sync.Mutex
	waiting bool // an attempt is under way
	given   bool // up: nobody waits for it any more
}

func newTurns() *turns {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	file, err := os.Open(self)
	if err != nil {
		return nil
	}
	return &turns{file: file}
}

// take waits for the turn, for no longer than patience, and returns how to give it
// back and whether it came. One goroutine at a time may use it.
func (t *turns) take(ctx context.Context, patience time.Duration) (release func(), ok bool) {
	none := func() {}
	if t == nil {
		return none, false
	}
	t.mu.Lock()
	stuck := t.waiting
	t.mu.Unlock()
	if stuck {
		return none, false // the attempt before has not come to its turn yet
	}
	if unix.Flock(int(t.file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		return t.release, true
	}
	t.waiting, t.given = true, false
	came := make(chan struct{})
	go t.wait(came)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-came:
		return t.release, true
	case <-timer.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.waiting { // it has come meanwhile
		return t.release, true
	}
	t.given = true
	return none, false
}

// wait takes the lock, and gives it back at once if nobody waits for it any more.
func (t *turns) wait(came chan<- struct{}) {
	err := unix.Flock(int(t.file.Fd()), unix.LOCK_EX)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = false
	if t.given {
		t.release()
	} else if err == nil {
		close(came)
	}
}

func (t *turns) release() { _ = unix.Flock(int(t.file.Fd()), unix.LOCK_UN) }

func (t *turns) close() {
	if t != nil {
		_ = t.file.Close()
	}
}
