package kernel

// The vector operations with AVX-512. Those that cannot take a last vector of
// less than 16 elements leave it, or all, to the plain ones.
var opsAVX512 = ops{
	norm: func(out, x, w []float32, eps float64) {
		if len(x)%lanes != 0 || len(x) == 0 {
			plainNorm(out, x, w, eps)
			return
		}
		zmmNorm(&out[:len(x)][0], &x[0], &w[:len(x)][0], len(x)/lanes, eps)
	},
	add: func(out, x []float32) {
		if n := len(x) / lanes; n > 0 {
			zmmAdd(&out[:len(x)][0], &x[0], n)
		}
		whole := len(x) / lanes * lanes
		plainAdd(out[whole:], x[whole:])
	},
	activate: func(gate, up []float32) {
		if n := len(gate) / lanes; n > 0 {
			zmmActivate(&gate[0], &up[:len(gate)][0], n)
		}
		whole := len(gate) / lanes * lanes
		plainSwiGLU(gate[whole:], up[whole:])
	},
	softmax: func(x []float32) {
		if len(x) > 0 {
			zmmSoftmax(&x[0], len(x))
		}
	},
	quantize: func(dst []byte, x []float32) {
		if n := len(x) / blockElements; n > 0 {
			zmmQuantize(&dst[:n*recordBytes][0], &x[0], n)
		}
	},
	round: func(dst []byte, x []float32) {
		if n := len(x) / lanes; n > 0 {
			zmmRound(&dst[:2*len(x)][0], &x[0], n)
		}
		whole := len(x) / lanes * lanes
		roundBF16(dst[2*whole:], x[whole:])
	},
}
