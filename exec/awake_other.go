//go:build !linux

package exec

// spin keeps cores awake, where a system has a priority that takes time from nobody.
func spin() {}
