package exec

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// peakRSS returns the most memory the process had resident, in bytes (VmHWM of
// proc(5)); 0: unknown.
func peakRSS() int64 { return ownStatus("VmHWM:") }

// residentSet returns the memory the process has resident, in bytes; 0: unknown.
func residentSet() int64 { return ownStatus("VmRSS:") }

func ownStatus(key string) int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		rest, found := strings.CutPrefix(lines.Text(), key)
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	return 0
}

// resetPeakRSS makes the peak begin anew, at the present size. Where the kernel
// does not allow it the peak is that of the process's whole life.
func resetPeakRSS() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
