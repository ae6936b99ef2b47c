package kernel

import "github.com/edgeshard/edgeshard/models"

var avx2 = &Path{
	name: "avx2",
	ops: (&vectors{
		norm: ymmNorm, add: ymmAdd, activate: ymmActivate,
		softmax: ymmSoftmax, quantize: ymmQuantize, round: ymmRound,
	}).ops(),
	probes: probes{[]func(*byte, int){ymmRead, ymmReadStreams}, []peakProbe{{"f32", 16, ymmPeakF32}, {"int8", 64, ymmPeakInt8}}},
	tiles: [precisions]*tiles{
		models.F32: {
			cols: 6, chunk: 256,
			narrow: [maxCols + 1]tileFunc{nil, ymmF32P1C1, ymmF32P1C2, ymmF32P1C3, ymmF32P1C4, ymmF32P1C5, ymmF32P1C6},
		},
		models.F16: {
			cols: 6, chunk: 512,
			narrow: [maxCols + 1]tileFunc{nil, ymmF16P1C1, ymmF16P1C2, ymmF16P1C3, ymmF16P1C4, ymmF16P1C5, ymmF16P1C6},
		},
		models.BF16: {
			cols: 4, chunk: 256,
			narrow: [maxCols + 1]tileFunc{nil, ymmBF16P1C1, ymmBF16P1C2, ymmBF16P1C3, ymmBF16P1C4},
		},
		models.Q8_0: {
			cols: 4, chunk: 48,
			narrow: [maxCols + 1]tileFunc{nil, ymmQ8P1C1, ymmQ8P1C2, ymmQ8P1C3, ymmQ8P1C4},
		},
		models.Q4_0: {
			cols: 4, chunk: 64,
			narrow: [maxCols + 1]tileFunc{nil, ymmQ4P1C1, ymmQ4P1C2, ymmQ4P1C3, ymmQ4P1C4},
		},
		models.Q4_K: {
			cols: 4, chunk: 8,
			narrow: [maxCols + 1]tileFunc{nil, ymmQ4KP1C1, ymmQ4KP1C2, ymmQ4KP1C3, ymmQ4KP1C4},
		},
		models.Q5_K: {
			cols: 4, chunk: 8,
			narrow: [maxCols + 1]tileFunc{nil, ymmQ5KP1C1, ymmQ5KP1C2, ymmQ5KP1C3, ymmQ5KP1C4},
		},
		models.Q6_K: {
			cols: 4, chunk: 8,
			narrow: [maxCols + 1]tileFunc{nil, ymmQ6KP1C1, ymmQ6KP1C2, ymmQ6KP1C3, ymmQ6KP1C4},
		},
	},
}
