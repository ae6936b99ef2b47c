package exec

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// startPinned starts a process on some of the cores alone: it inherits those of
// the thread that starts it. Without cores it is started as it is.
func startPinned(cores []int, start func() error) error {
	if len(cores) == 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, want unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("cores: %w", err)
	}
	for _, c := range cores {
		want.Set(c)
		if !before.IsSet(c) {
			return fmt.Errorf("core %d: this process may use %d cores, and not that", c, before.Count())
		}
	}
	if err := unix.SchedSetaffinity(0, &want); err != nil {
		return fmt.Errorf("cores %v: %w", cores, err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return start()
}
