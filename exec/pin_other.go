//go:build !linux

package exec

import "errors"

// startPinned starts a process; pinning it to cores is for Linux only.
func startPinned(cores []int, start func() error) error {
	if len(cores) > 0 {
		return errors.New("cores: a process can be pinned on Linux only")
	}
	return start()
}
