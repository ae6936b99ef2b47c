//go:build unix

package exec

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// turnPoll is how often a worker looks whether it is its turn.
const turnPoll = 30 * time.Microsecond

// turns let the slowed workers of a machine compute one after another: each waits
// for the others in the time in which it would idle anyway. The turn is a lock on
// the program's own file, which the system takes back from a process that ends.
type turns struct{ file *os.File }

func newTurns() *turns {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	file, err := os.Open(self)
	if err != nil {
		return nil
	}
	return &turns{file}
}

// take waits for the turn, for no longer than patience, and returns how to give it
// back and whether it came.
func (t *turns) take(ctx context.Context, patience time.Duration) (release func(), ok bool) {
	if t == nil {
		return func() {}, false
	}
	fd := int(t.file.Fd())
	for end := time.Now().Add(patience); unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil; preciseSleep(turnPoll) {
		if ctx.Err() != nil || time.Now().After(end) {
			return func() {}, false
		}
	}
	return func() { _ = unix.Flock(fd, unix.LOCK_UN) }, true
}

func (t *turns) close() {
	if t != nil {
		_ = t.file.Close()
	}
}
