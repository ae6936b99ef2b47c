package exec

import (
	"errors"
	"math"
	"runtime/debug"
	"testing"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// A worker refuses a sequence that would take it beyond its budget: by its account
// of what it holds, or by what its process has resident, where that is its own.
func TestAdmit(t *testing.T) {
	config, _ := models.Builtin(models.Demo)
	stage := &wire.Stage{From: 1, To: 3}
	kv := 2 * config.KVBytes(1, 100)
	needs := &wire.Need{Weights: 1 << 20, KvCaches: kv, Workspace: 1 << 10, Overhead: 1 << 30}
	worker := &Worker{}
	s := &session{worker: worker, config: config, need: needs, load: &wire.Load{OverheadBytes: 1 << 30}}
	held := needs.Weights + needs.Overhead
	for _, c := range []struct {
		budget int64
		fits   bool
	}{{0, true}, {held + kv, true}, {held + kv - 1, false}} {
		s.limit = limit{budget: c.budget}
		s.confine()
		err := s.admit(stage, 100)
		var short *shortage
		if c.fits != (err == nil) || err != nil && !errors.As(err, &short) {
			t.Errorf("budget %d: %v", c.budget, err)
		}
		if c.budget > 0 && s.limit.by != byAccount {
			t.Errorf("budget %d is enforced by %q", c.budget, s.limit.by)
		}
	}
	if residentSet() == 0 {
		t.Skip("the system does not tell what is resident")
	}
	worker.options.OwnProcess = true
	s.limit = limit{budget: 1 << 40}
	s.confine()
	defer s.limit.free()
	if err := s.admit(stage, 100); err != nil || s.limit.by != byResident || debug.SetMemoryLimit(-1) == math.MaxInt64 {
		t.Errorf("with ample memory: %v, by %q, heap limit %d", err, s.limit.by, debug.SetMemoryLimit(-1))
	}
	s.limit.allowed = 1 << 20 // less than this test's process
	var short *shortage
	if err := s.admit(stage, 100); !errors.As(err, &short) || short.need.GetBudget() != 1<<40 || needBytes(short.need) < 1<<20 {
		t.Errorf("beyond what is allowed: %v", err)
	}
}
