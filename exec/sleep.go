package exec

import (
	"context"
	"time"
)

const (
	// coarse is the part of a long wait that the system's timers are too blunt for.
	coarse = 3 * time.Millisecond
	// fine is the longest part of a wait in which no change is heeded.
	fine = 250 * time.Microsecond
)

// sleep waits for d, precisely, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	end := time.Now().Add(d)
	waitUntil(ctx, func() time.Duration { return time.Until(end) }, nil)
}

// waitUntil waits until nothing is left, precisely, or ctx ends. What is left may
// change on the way: a value on changed says so.
func waitUntil(ctx context.Context, left func() time.Duration, changed <-chan struct{}) {
	for ctx.Err() == nil {
		switch d := left(); {
		case d <= 0:
			return
		case d > coarse:
			await(ctx, d-coarse, changed)
		case changed == nil: // one sleep: who wakes often disturbs those that compute
			preciseSleep(d)
		default:
			preciseSleep(min(d, fine))
		}
	}
}

// await waits for d or longer by some milliseconds, or until a value is on
// changed, or ctx ends.
func await(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
}
