//go:build !amd64 && !arm64

package kernel

import "runtime"

// pause lets some time pass in a waiting loop.
func pause() { runtime.Gosched() }

func prefetch(*byte, int) {}
