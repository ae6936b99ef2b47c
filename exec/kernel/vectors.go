package kernel

// vectors are operations in assembly on whole vectors of 16 elements, or on
// blocks of 32.
type vectors struct {
	norm     func(out, x, w *float32, vectors int, eps float64)
	add      func(out, x *float32, vectors int)
	activate func(gate, up *float32, vectors int)
	softmax  func(x *float32, vectors int)
	quantize func(dst *byte, x *float32, blocks int)
	round    func(dst *byte, x *float32, vectors int)
}

// ops makes v take slices of any length: the plain operations do a last vector
// that is not whole.
func (v *vectors) ops() ops {
	return ops{
		norm: v.normSlice, add: v.addSlice, activate: v.activateSlice,
		softmax: v.softmaxSlice, quantize: v.quantizeSlice, round: v.roundSlice,
	}
}

func (v *vectors) normSlice(out, x, w []float32, eps float64) {
	if len(x)%lanes != 0 || len(x) == 0 {
		plainNorm(out, x, w, eps)
		return
	}
	v.norm(&out[:len(x)][0], &x[0], &w[:len(x)][0], len(x)/lanes, eps)
}

func (v *vectors) addSlice(out, x []float32) {
	if n := len(x) / lanes; n > 0 {
		v.add(&out[:len(x)][0], &x[0], n)
	}
	whole := len(x) / lanes * lanes
	plainAdd(out[whole:], x[whole:])
}

func (v *vectors) activateSlice(gate, up []float32) {
	if n := len(gate) / lanes; n > 0 {
		v.activate(&gate[0], &up[:len(gate)][0], n)
	}
	whole := len(gate) / lanes * lanes
	plainSwiGLU(gate[whole:], up[whole:])
}

func (v *vectors) softmaxSlice(x []float32) {
	if len(x)%lanes != 0 || len(x) == 0 {
		plainSoftmax(x)
		return
	}
	v.softmax(&x[0], len(x)/lanes)
}

func (v *vectors) quantizeSlice(dst []byte, x []float32) {
	if n := len(x) / blockElements; n > 0 {
		v.quantize(&dst[:n*recordBytes][0], &x[0], n)
	}
}

func (v *vectors) roundSlice(dst []byte, x []float32) {
	if n := len(x) / lanes; n > 0 {
		v.round(&dst[:2*len(x)][0], &x[0], n)
	}
	whole := len(x) / lanes * lanes
	roundBF16(dst[2*whole:], x[whole:])
}
