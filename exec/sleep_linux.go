package exec

import (
	"errors"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// preciseSleep sleeps to within some microseconds; time.Sleep wakes on whole
// milliseconds.
func preciseSleep(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Threads may be woken 50 µs late by default, to save power.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	rest := unix.NsecToTimespec(int64(d))
	for errors.Is(unix.Nanosleep(&rest, &rest), unix.EINTR) {
	}
}
