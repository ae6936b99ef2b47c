package kernel

import (
	"runtime"

	"github.com/edgeshard/edgeshard/models"
	"golang.org/x/sys/cpu"
)

func nativePaths() []*Path {
	if cpu.ARM64.HasASIMDDP || runtime.GOOS == "darwin" {
		return []*Path{neon, neonDot}
	}
	return []*Path{neon}
}

// neon is for every arm64 CPU: quantised weights are left to the plain kernels.
var neon = &Path{
	name: "neon",
	ops:  plainOps,
	tiles: [precisions]*tiles{
		models.F32:  neonDot.tiles[models.F32],
		models.F16:  neonDot.tiles[models.F16],
		models.BF16: neonDot.tiles[models.BF16],
	},
}

// neonDot is for those with dot products of bytes (Armv8.2 and later).
var neonDot = &Path{
	name: "neondot",
	ops:  plainOps,
	tiles: [precisions]*tiles{
		models.F32: {
			cols: 4, chunk: 256,
			narrow: [maxCols + 1]tileFunc{nil, neonF32P1C1, neonF32P1C2, neonF32P1C3, neonF32P1C4},
		},
		models.F16: {
			cols: 4, chunk: 512,
			narrow: [maxCols + 1]tileFunc{nil, neonF16P1C1, neonF16P1C2, neonF16P1C3, neonF16P1C4},
		},
		models.BF16: {
			cols: 4, chunk: 256,
			narrow: [maxCols + 1]tileFunc{nil, neonBF16P1C1, neonBF16P1C2, neonBF16P1C3, neonBF16P1C4},
		},
		models.Q8_0: {
			cols: 4, chunk: 32,
			narrow: [maxCols + 1]tileFunc{nil, neonQ8P1C1, neonQ8P1C2, neonQ8P1C3, neonQ8P1C4},
		},
		models.Q4_0: {
			cols: 4, chunk: 64,
			narrow: [maxCols + 1]tileFunc{nil, neonQ4P1C1, neonQ4P1C2, neonQ4P1C3, neonQ4P1C4},
		},
		models.Q4_K: {
			cols: 4, chunk: 8,
			narrow: [maxCols + 1]tileFunc{nil, neonQ4KP1C1, neonQ4KP1C2, neonQ4KP1C3, neonQ4KP1C4},
		},
		models.Q5_K: {
			cols: 4, chunk: 8,
			narrow: [maxCols + 1]tileFunc{nil, neonQ5KP1C1, neonQ5KP1C2, neonQ5KP1C3, neonQ5KP1C4},
		},
		models.Q6_K: {
			cols: 4, chunk: 8,
			narrow: [maxCols + 1]tileFunc{nil, neonQ6KP1C1, neonQ6KP1C2, neonQ6KP1C3, neonQ6KP1C4},
		},
	},
}
