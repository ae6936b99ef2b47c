//go:build !unix

package exec

import "time"

func cpuTime() (time.Duration, bool) { return 0, false }
