package exec

import (
	"testing"
	"testing/synctest"
	"time"
)

// Virtual runs a test under a clock of its own, which stands still while anything
// computes: what is measured in it is what timers and imitated links make of it,
// whatever the machine. No parallel test may use it.
func Virtual(t *testing.T, f func(*testing.T)) {
	t.Helper()
	nap = time.Sleep
	defer func() { nap = preciseSleep }()
	synctest.Test(t, f)
}
