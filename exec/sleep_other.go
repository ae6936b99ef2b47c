//go:build !linux

package exec

import "time"

// preciseSleep sleeps as precisely as the system does.
func preciseSleep(d time.Duration) { time.Sleep(d) }
