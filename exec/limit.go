package exec

import (
	"math"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/edgeshard/edgeshard/exec/wire"
)

const (
	// bufferMemory is what messages on their way may take beyond what a plan counts.
	bufferMemory = 8 << 20
	// leastHeap is what the garbage collector is left to work with at least.
	leastHeap = 16 << 20
)

// What keeps a worker to its budget while it runs.
const (
	byAccount  = "own account"
	byResident = "own account of resident memory, Go's memory limit"
)

// A limit keeps a session to its worker's budget.
type limit struct {
	budget  int64  // 0: none
	allowed int64  // resident bytes of the process; 0: not known, or not its own
	by      string // what enforces it
}

// confine begins to enforce the budget, when the shards are loaded. A process has a
// runtime of its own, which counts as the overhead that the plan knows of, also
// where it is larger.
func (s *session) confine() {
	l := &s.limit
	if l.budget <= 0 {
		return
	}
	l.by = byAccount
	resident := residentSet()
	if !s.worker.options.OwnProcess || resident <= 0 {
		return
	}
	runtime := max(0, resident-s.holds())
	l.allowed = l.budget + max(0, runtime-s.load.GetOverheadBytes()) + bufferMemory
	most := s.need.GetWeights() + s.need.GetKvCaches() + s.need.GetWorkspace()
	debug.SetMemoryLimit(max(l.allowed-most, goMemory()+s.need.GetKvCaches()+leastHeap))
	l.by = byResident
}

// free ends what confine began.
func (l *limit) free() {
	if l.allowed > 0 {
		debug.SetMemoryLimit(math.MaxInt64)
	}
}

// goMemory is what Go's runtime has from the system.
func goMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

// holds returns what the shards hold.
func (s *session) holds() int64 {
	n := s.need.GetWeights()
	for _, sh := range s.shards {
		if sh != nil {
			n += sh.shard.KVBytes() + sh.shard.WorkspaceBytes()
		}
	}
	return n
}

// admit refuses a sequence whose KV cache would go beyond the budget.
func (s *session) admit(stage *wire.Stage, positions int) error {
	l := &s.limit
	if l.budget <= 0 {
		return nil
	}
	var more int64
	for u := stage.GetFrom(); u < stage.GetTo(); u++ {
		more += s.config.KVBytes(int(u), positions)
	}
	held, most := s.holds()+s.need.GetOverhead(), l.budget
	if l.allowed > 0 {
		spare := s.spareBytes(stage)
		if held, most = residentSet()-spare, l.allowed; held+more > most {
			debug.FreeOSMemory()
			held = residentSet() - spare
		}
	}
	if held+more <= most {
		return nil
	}
	n := &wire.Need{Weights: s.need.GetWeights(), KvCaches: more, Workspace: s.need.GetWorkspace(), Budget: l.budget}
	n.Overhead = held - n.GetWeights() - n.GetWorkspace()
	return &shortage{n}
}

// spareBytes is what a stage's shard keeps for the sequence that comes next.
func (s *session) spareBytes(stage *wire.Stage) int64 {
	i := slices.Index(s.load.GetStages(), stage)
	if i < 0 || s.shards[i] == nil {
		return 0
	}
	return s.shards[i].shard.SpareBytes()
}
