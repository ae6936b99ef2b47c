package exec

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLease: a worker keeps its units for a coordinator until that has been silent
// for the lease, and not for longer.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lease = 2 * time.Second
		w := &Worker{}
		w.lease("c")
		w.keep(w.take("c", "m"), lease)
		for _, step := range []struct {
			after time.Duration
			beat  string
			kept  bool
		}{
			{lease - time.Nanosecond, "c", true}, {lease - time.Nanosecond, "another", true}, {time.Nanosecond, "c", false},
		} {
			time.Sleep(step.after)
			synctest.Wait()
			if kept := w.kept != nil; kept != step.kept {
				t.Errorf("units kept %s after the beat before: %v: want %v", step.after, kept, step.kept)
			}
			w.renew(step.beat)
		}
	})
}
