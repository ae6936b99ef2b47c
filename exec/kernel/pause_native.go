//go:build amd64 || arm64

package kernel

// pauseCPU tells the CPU rounds times that this thread is waiting.
//
//go:noescape
func pauseCPU(rounds int)

// pause lets some 200 ns pass in a waiting loop.
func pause() { pauseCPU(16) }
