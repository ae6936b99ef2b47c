//go:build !amd64 && !arm64

package kernel

func nativePaths() []*Path { return nil }
