package exec

import (
	"context"
	"time"
)

// coarse is the part of a long sleep that can be interrupted no more.
const coarse = 3 * time.Millisecond

// sleep waits for d, precisely, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	end := time.Now().Add(d)
	if d > coarse {
		timer := time.NewTimer(d - coarse)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
	if rest := time.Until(end); rest > 0 && ctx.Err() == nil {
		preciseSleep(rest)
	}
}
