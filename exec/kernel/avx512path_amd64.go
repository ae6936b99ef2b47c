package kernel

import "github.com/edgeshard/edgeshard/models"

var avx512 = &Path{
	name: "avx512",
	ops: (&vectors{
		norm: zmmNorm, add: zmmAdd, activate: zmmActivate,
		softmax: zmmSoftmax, quantize: zmmQuantize, round: zmmRound,
	}).ops(),
	probes: probes{[]func(*byte, int){zmmRead, zmmReadStreams}, []peakProbe{{"f32", 32, zmmPeakF32}, {"bf16", 64, zmmPeakBF16}, {"int8", 128, zmmPeakInt8}}},
	tiles: [precisions]*tiles{
		models.F32: {
			panels: 4, few: 4, cols: 6, chunk: 128, pack: zmmPackWords, packSteps: 16,
			pairs:   [maxCols + 1]tileFunc{5: zmmF32FewP2C5, zmmF32FewP2C6, zmmF32FewP2C7, zmmF32FewP2C8},
			singles: [maxCols + 1]tileFunc{5: zmmF32FewP1C5, zmmF32FewP1C6, zmmF32FewP1C7, zmmF32FewP1C8},
			wide:    [maxCols + 1]tileFunc{nil, zmmF32P4C1, zmmF32P4C2, zmmF32P4C3, zmmF32P4C4, zmmF32P4C5, zmmF32P4C6},
			narrow:  [maxCols + 1]tileFunc{nil, zmmF32P1C1, zmmF32P1C2, zmmF32P1C3, zmmF32P1C4, zmmF32P1C5, zmmF32P1C6},
		},
		models.F16: {
			panels: 4, few: 4, cols: 6, chunk: 256, pack: zmmPackF16, packSteps: 32,
			pairs:   [maxCols + 1]tileFunc{5: zmmF16FewP2C5, zmmF16FewP2C6, zmmF16FewP2C7, zmmF16FewP2C8},
			singles: [maxCols + 1]tileFunc{5: zmmF16FewP1C5, zmmF16FewP1C6, zmmF16FewP1C7, zmmF16FewP1C8},
			wide:    [maxCols + 1]tileFunc{nil, zmmF16P4C1, zmmF16P4C2, zmmF16P4C3, zmmF16P4C4, zmmF16P4C5, zmmF16P4C6},
			narrow:  [maxCols + 1]tileFunc{nil, zmmF16P1C1, zmmF16P1C2, zmmF16P1C3, zmmF16P1C4, zmmF16P1C5, zmmF16P1C6},
		},
		models.BF16: {
			panels: 4, few: 4, cols: 6, chunk: 128, pack: zmmPackWords, packSteps: 16,
			pairs:   [maxCols + 1]tileFunc{5: zmmBF16FewP2C5, zmmBF16FewP2C6, zmmBF16FewP2C7, zmmBF16FewP2C8},
			singles: [maxCols + 1]tileFunc{5: zmmBF16FewP1C5, zmmBF16FewP1C6, zmmBF16FewP1C7, zmmBF16FewP1C8},
			wide:    [maxCols + 1]tileFunc{nil, zmmBF16P4C1, zmmBF16P4C2, zmmBF16P4C3, zmmBF16P4C4, zmmBF16P4C5, zmmBF16P4C6},
			narrow:  [maxCols + 1]tileFunc{nil, zmmBF16P1C1, zmmBF16P1C2, zmmBF16P1C3, zmmBF16P1C4, zmmBF16P1C5, zmmBF16P1C6},
		},
		models.Q8_0: {
			panels: 2, few: 4, cols: 6, chunk: 32, pack: zmmPackQ8, packSteps: 1,
			pairs:   [maxCols + 1]tileFunc{5: zmmQ8FewP2C5, zmmQ8FewP2C6, zmmQ8FewP2C7, zmmQ8FewP2C8},
			singles: [maxCols + 1]tileFunc{5: zmmQ8FewP1C5, zmmQ8FewP1C6, zmmQ8FewP1C7, zmmQ8FewP1C8},
			wide:    [maxCols + 1]tileFunc{nil, zmmQ8P4C1, zmmQ8P4C2, zmmQ8P2C3, zmmQ8P2C4, zmmQ8P2C5, zmmQ8P2C6},
			narrow:  [maxCols + 1]tileFunc{nil, zmmQ8P1C1, zmmQ8P1C2, zmmQ8P1C3, zmmQ8P1C4, zmmQ8P1C5, zmmQ8P1C6},
		},
		models.Q4_0: {
			panels: 2, few: 4, cols: 6, chunk: 64, pack: zmmPackQ4, packSteps: 1,
			pairs:   [maxCols + 1]tileFunc{5: zmmQ4FewP2C5, zmmQ4FewP2C6, zmmQ4FewP2C7, zmmQ4FewP2C8},
			singles: [maxCols + 1]tileFunc{5: zmmQ4FewP1C5, zmmQ4FewP1C6, zmmQ4FewP1C7, zmmQ4FewP1C8},
			wide:    [maxCols + 1]tileFunc{nil, zmmQ4P4C1, zmmQ4P4C2, zmmQ4P2C3, zmmQ4P2C4, zmmQ4P2C5, zmmQ4P2C6},
			narrow:  [maxCols + 1]tileFunc{nil, zmmQ4P1C1, zmmQ4P1C2, zmmQ4P1C3, zmmQ4P1C4, zmmQ4P1C5, zmmQ4P1C6},
		},
		models.Q4_K: {
			panels: 2, cols: 6, chunk: 8, pack: superPack(144, superPairs+4*512, packScales, zmmPackQ4K), packSteps: 1,
			wide:   [maxCols + 1]tileFunc{3: zmmQ4KP2C3, zmmQ4KP2C4, zmmQ4KP2C5, zmmQ4KP2C6},
			narrow: [maxCols + 1]tileFunc{nil, zmmQ4KP1C1, zmmQ4KP1C2, zmmQ4KP1C3, zmmQ4KP1C4, zmmQ4KP1C5, zmmQ4KP1C6},
		},
		models.Q5_K: {
			panels: 2, cols: 6, chunk: 6, pack: superPack(176, superPairs+5*512, packScales, zmmPackQ5K), packSteps: 1,
			wide:   [maxCols + 1]tileFunc{3: zmmQ5KP2C3, zmmQ5KP2C4, zmmQ5KP2C5, zmmQ5KP2C6},
			narrow: [maxCols + 1]tileFunc{nil, zmmQ5KP1C1, zmmQ5KP1C2, zmmQ5KP1C3, zmmQ5KP1C4, zmmQ5KP1C5, zmmQ5KP1C6},
		},
		models.Q6_K: {
			panels: 2, few: 2, cols: 6, chunk: 6, pack: superPack(210, q6Quants+2*1536, packScales6, zmmPackQ6K), packSteps: 1,
			wide:   [maxCols + 1]tileFunc{nil, zmmQ6KP2C1, zmmQ6KP2C2, zmmQ6KP2C3, zmmQ6KP2C4, zmmQ6KP2C5, zmmQ6KP2C6},
			narrow: [maxCols + 1]tileFunc{nil, zmmQ6KP1C1, zmmQ6KP1C2, zmmQ6KP1C3, zmmQ6KP1C4, zmmQ6KP1C5, zmmQ6KP1C6},
		},
	},
}
