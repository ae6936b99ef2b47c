package models

import "syscall"

// dropPages takes the pages of a file's map out of memory. They are read again
// when they are touched; a system that refuses only holds more.
func dropPages(data []byte) { _ = syscall.Madvise(data, syscall.MADV_DONTNEED) }

// readPages has the pages of a file's map read ahead.
func readPages(data []byte) { _ = syscall.Madvise(data, syscall.MADV_WILLNEED) }
