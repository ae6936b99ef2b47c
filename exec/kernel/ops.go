package kernel

import "math"

// RMSNorm writes x / sqrt(mean(x²) + eps) · w to out; all have the same length.
func (p *Path) RMSNorm(out, x, w []float32, eps float64) { p.ops.norm(out, x, w, eps) }

func plainNorm(out, x, w []float32, eps float64) {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	scale := float32(1 / math.Sqrt(sum/float64(len(x))+eps))
	for i, v := range x {
		out[i] = v * scale * w[i]
	}
}

// Add adds x to out, element by element.
func (p *Path) Add(out, x []float32) { p.ops.add(out, x) }

func plainAdd(out, x []float32) {
	for i, v := range x {
		out[i] += v
	}
}

// SwiGLU writes silu(gate)·up to gate; silu(v) = v/(1+exp(-v)).
func (p *Path) SwiGLU(gate, up []float32) { p.ops.activate(gate, up) }

func plainSwiGLU(gate, up []float32) {
	for i, v := range gate {
		gate[i] = v / (1 + float32(math.Exp(float64(-v)))) * up[i]
	}
}

// plainSoftmax replaces x by exp(x-max)/Σexp(x-max).
func plainSoftmax(x []float32) {
	top := float32(math.Inf(-1))
	for _, v := range x {
		top = max(top, v)
	}
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v - top)))
		sum += x[i]
	}
	inv := 1 / sum
	for i := range x {
		x[i] *= inv
	}
}
