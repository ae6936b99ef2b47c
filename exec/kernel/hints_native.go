//go:build amd64 || arm64

package kernel

// pauseCPU tells the CPU rounds times that this thread is waiting.
//
//go:noescape
func pauseCPU(rounds int)

// pause lets some 200 ns pass in a waiting loop.
func pause() { pauseCPU(16) }

// prefetch asks for lines of 64 bytes to be brought to the L2 cache. It touches
// no memory, so that they may lie outside of what the caller owns.
//
//go:noescape
func prefetch(p *byte, lines int)
