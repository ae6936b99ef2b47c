//go:build unix

package exec

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the processor time the process has used; false: unknown.
func cpuTime() (time.Duration, bool) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, false
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), true
}
