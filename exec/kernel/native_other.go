//go:build !amd64

package kernel

func nativePaths() []*Path { return nil }
