package exec

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeshard/edgeshard/exec/llama"
)

// VirtualPass is what a stage takes for a pass under Virtual.
const VirtualPass = time.Millisecond

// Virtual runs a test under a clock of its own, by which a pass takes a stage as
// long as is said and nothing else takes any time: what is measured in it is what
// timers, slowdowns and imitated links make of it, whatever the machine. No parallel
// test may use it.
func Virtual(t *testing.T, f func(*testing.T)) {
	t.Helper()
	nap, compute = time.Sleep, func(s *llama.Shard, batch []llama.Seq, values []float32) ([]float32, error) {
		time.Sleep(VirtualPass)
		return s.Forward(batch, values)
	}
	defer func() { nap, compute = preciseSleep, (*llama.Shard).Forward }()
	synctest.Test(t, f)
}
