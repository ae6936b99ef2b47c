package main

import (
	"runtime"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/kernel"
)

// outdated returns why the profiles of a plan may not hold now: their age and the
// program's version, and for local workers that stand for no other hardware the
// kernel path and the threads that they compute with.
func outdated(p *edgeshard.Plan, r edgeshard.Runner) []string {
	here := edgeshard.Origin{Version: version()}
	local := here
	if e, ok := r.(*execRunner); ok && !e.flags.local {
		if path, err := kernel.Default(); err == nil {
			local.Kernel = path.Name()
		}
		if local.Threads = e.Threads; local.Threads == 0 {
			local.Threads = runtime.GOMAXPROCS(0)
		}
	}
	return p.OutdatedProfiles(func(device int) *edgeshard.Origin {
		if p.Topology.Devices[device].Address != "" {
			return &here
		}
		return &local
	}, time.Now())
}
