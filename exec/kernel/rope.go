package kernel

import "math"

// A Rope holds the rotations of rotary position embeddings: position p turns the
// i-th pair of a head's elements by p · theta^(-2i/head).
type Rope struct {
	half     bool
	head     int
	cos, sin []float32 // [positions][head/2]
}

// NewRope computes the rotations of the first positions. half tells how
// elements pair: (i, i+head/2), or else (2i, 2i+1).
func NewRope(head, positions int, theta float64, half bool) *Rope {
	r := &Rope{half: half, head: head}
	r.cos = make([]float32, positions*head/2)
	r.sin = make([]float32, positions*head/2)
	for i := range head / 2 {
		freq := math.Pow(theta, -2*float64(i)/float64(head))
		for p := range positions {
			sin, cos := math.Sincos(float64(p) * freq)
			r.cos[p*head/2+i], r.sin[p*head/2+i] = float32(cos), float32(sin)
		}
	}
	return r
}

// Bytes returns the memory that the rotations take.
func (r *Rope) Bytes() int64 { return int64(4 * (len(r.cos) + len(r.sin))) }

// Rotate turns every head of x, a row of whole heads, to position pos.
func (r *Rope) Rotate(x []float32, pos int) {
	n := r.head / 2
	cos, sin := r.cos[pos*n:][:n], r.sin[pos*n:][:n]
	for ; len(x) > 0; x = x[r.head:] {
		if r.half {
			rotateHalf(x[:n], x[n:2*n], cos, sin)
		} else {
			rotatePairs(x[:2*n], cos, sin)
		}
	}
}

func rotateHalf(a, b, cos, sin []float32) {
	for i, c := range cos {
		s, u, v := sin[i], a[i], b[i]
		a[i], b[i] = u*c-v*s, u*s+v*c
	}
}

func rotatePairs(x, cos, sin []float32) {
	for i, c := range cos {
		s, u, v := sin[i], x[2*i], x[2*i+1]
		x[2*i], x[2*i+1] = u*c-v*s, u*s+v*c
	}
}
