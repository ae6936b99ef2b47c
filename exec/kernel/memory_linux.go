package kernel

import (
	"fmt"
	"syscall"
)

const adviseHugePage = 14 // MADV_HUGEPAGE

func mapHuge(bytes int) ([]byte, func(), error) {
	b, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, func() {}, fmt.Errorf("allocate %d bytes: %w", bytes, err)
	}
	_ = syscall.Madvise(b, adviseHugePage) // a system without them is only slower
	return b, func() { _ = syscall.Munmap(b) }, nil
}
