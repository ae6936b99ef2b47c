package exec

import (
	"runtime/debug"
	"sync"
)

// peak is the most memory a session has held.
type peak struct {
	mu         sync.Mutex
	ownProcess bool
	fixed      int64 // runtime and weights
	most       int64 // KV caches and workspace
}

// begin starts the account; with ownProcess the operating system keeps it.
func (p *peak) begin(fixed int64, ownProcess bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fixed, p.ownProcess = fixed, ownProcess
	if ownProcess {
		resetPeakRSS()
	}
}

// settle lets the account of a process of its own begin anew when the shards are
// loaded: what loading held for a moment are pages of files that the system takes
// back when it needs them.
func (p *peak) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ownProcess {
		debug.FreeOSMemory()
		resetPeakRSS()
	}
}

// update takes the shards' present holdings into account.
func (p *peak) update(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ownProcess {
		return
	}
	var now int64
	for _, sh := range s.shards {
		if sh != nil {
			now += sh.shard.KVBytes() + sh.shard.WorkspaceBytes()
		}
	}
	p.most = max(p.most, now)
}

// bytes returns the peak: the resident set of a process of the worker's own, as
// measured, else what its shards held.
func (p *peak) bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ownProcess {
		if rss := peakRSS(); rss > 0 {
			return rss
		}
	}
	return p.fixed + p.most
}
