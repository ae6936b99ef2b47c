//go:build !linux

package models

// dropPages leaves it to the system to take the pages of a file's map out of memory.
func dropPages([]byte) {}

// readPages leaves it to the system to read ahead.
func readPages([]byte) {}
