//go:build !linux

package exec

import "runtime"

// peakRSS returns the memory that the runtime has got from the operating
// system: the nearest to a peak resident set that is the same everywhere. It
// lacks mapped files.
func peakRSS() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// residentSet returns the same.
func residentSet() int64 { return peakRSS() }

func resetPeakRSS() {}
