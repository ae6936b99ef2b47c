package exec

import (
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	schedIdle     = 5  // SCHED_IDLE of sched(7)
	schedAttrSize = 48 // of the first version of its attributes
)

// spin keeps each core that the process may use busy at the idle priority, with
// threads that never end. Where that priority cannot be had it does nothing.
func spin() {
	var cores unix.CPUSet
	if unix.SchedGetaffinity(0, &cores) != nil {
		return
	}
	runtime.GOMAXPROCS(cores.Count() + 1) // one is left for what ends the process
	for c := range 8 * len(cores) * 8 {
		if cores.IsSet(c) {
			go spinOn(c)
		}
	}
}

func spinOn(core int) {
	runtime.LockOSThread()
	var own unix.CPUSet
	own.Set(core)
	if unix.SchedSetaffinity(0, &own) != nil || unix.SchedSetAttr(0, &unix.SchedAttr{Size: schedAttrSize, Policy: schedIdle}, 0) != nil {
		return
	}
	for n := uint(1); n > 0; n |= 1 { // for ever
	}
}
