package exec

import (
	"context"
	"time"
)

// coarse is the part of a long wait that the system's timers are too blunt for.
const coarse = 3 * time.Millisecond

// nap is the system's most precise sleep; under a test's own clock it is another.
var nap = preciseSleep

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
		case changed == nil:
			nap(d)
		default:
			awaitPrecisely(d, changed)
		}
	}
}

// awaitPrecisely waits for d, at most coarse, or until a value is on changed. It
// does so in one sleep: who wakes often disturbs those that compute.
func awaitPrecisely(d time.Duration, changed <-chan struct{}) {
	over := make(chan struct{})
	go func() {
		nap(d)
		close(over)
	}()
	select {
	case <-over:
	case <-changed:
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
