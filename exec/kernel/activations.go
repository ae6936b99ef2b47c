package kernel

import (
	"math"

	"github.com/edgeshard/edgeshard/models"
)

// A Form is how activations are written before they meet weights.
type Form uint8

const (
	formF32 Form = iota
	formBF16
	formQ8 // records of 32 elements, see quantizeBlock

	Forms = iota // the number of forms
)

// FormOf returns the form of activations that weights of precision p meet.
func FormOf(p models.Precision) Form {
	switch p {
	case models.F32, models.F16:
		return formF32
	case models.BF16:
		return formBF16
	}
	return formQ8
}

// A record of formQ8: 32 × int8, the scale as f32, and two int32, the sums of
// the first and of the last 16 integers.
const (
	blockElements = 32
	recordBytes   = 44
	recordScale   = 32
	recordSums    = 36
)

// Activations are rows of activations in the companion form of a precision. The
// zero value is empty; its memory is reused from one Set to the next.
type Activations struct {
	form    Form
	n, cols int
	f32     []float32 // formF32: the caller's slice
	data    []byte    // the other forms, [n] rows of stride bytes
	stride  int
}

// Resize prepares for n rows of cols elements that meet weights of precision p.
// For the quantised precisions cols must be a multiple of 32.
func (a *Activations) Resize(p models.Precision, n, cols int) {
	a.form, a.n, a.cols = FormOf(p), n, cols
	switch a.form {
	case formF32:
		a.stride = 4 * cols
		return
	case formBF16:
		a.stride = 2 * (cols + cols&1)
	case formQ8:
		a.stride = cols / blockElements * recordBytes
	}
	if need := n * a.stride; cap(a.data) < need {
		a.data = make([]byte, need)
	} else {
		a.data = a.data[:need]
	}
}

// Clear empties a, so that Set does nothing until the next Resize.
func (a *Activations) Clear() { a.n, a.cols, a.stride, a.form = 0, 0, 0, formF32 }

// Set writes rows [lo, hi) of x, [n][cols]. In the f32 form it only keeps x,
// which must not change before the product is done. Different rows may be set
// concurrently, but for the f32 form, where any Set sets all.
func (a *Activations) Set(x []float32, lo, hi int) {
	switch {
	case a.n == 0:
		return
	case a.form == formF32:
		if lo == 0 {
			a.f32 = x[:a.n*a.cols]
		}
		return
	}
	for i := lo; i < hi; i++ {
		row, dst := x[i*a.cols:][:a.cols], a.data[i*a.stride:][:a.stride]
		if a.form == formBF16 {
			roundBF16(dst, row)
		} else {
			quantize(dst, row)
		}
	}
}

// Bytes returns the memory held.
func (a *Activations) Bytes() int64 { return int64(cap(a.data)) }

func roundBF16(dst []byte, x []float32) {
	for i, v := range x {
		le.PutUint16(dst[2*i:], F32ToBF16(v))
	}
	clear(dst[2*len(x):])
}

func quantize(dst []byte, x []float32) {
	for ; len(x) > 0; dst, x = dst[recordBytes:], x[blockElements:] {
		quantizeBlock(dst[:recordBytes], x[:blockElements])
	}
}

// Below this magnitude a block counts as zero, so that 127/max stays finite.
const quantizeFloor = 1e-30

// quantizeBlock rounds 32 elements to multiples of max|x|/127. A block with a
// NaN or an infinity gets a scale that is one, so that they propagate.
func quantizeBlock(dst []byte, x []float32) {
	var top uint32 // of the magnitudes' bits, which order as the values do and put NaN last
	for _, v := range x {
		top = max(top, math.Float32bits(v)&0x7fffffff)
	}
	peak := math.Float32frombits(top)
	if peak < quantizeFloor {
		clear(dst)
		return
	}
	inv := 127 / peak
	var sums [2]int32
	for i, v := range x {
		q := roundInt8(v * inv)
		dst[i] = byte(q)
		sums[i/16] += int32(q)
	}
	le.PutUint32(dst[recordScale:], math.Float32bits(peak/127))
	le.PutUint32(dst[recordSums:], uint32(sums[0]))
	le.PutUint32(dst[recordSums+4:], uint32(sums[1]))
}

// roundInt8 rounds to the nearest integer, ties to even; NaN and what does not fit become -128.
func roundInt8(v float32) int8 {
	if !(v > -128.5 && v < 127.5) {
		return -128
	}
	return int8(math.RoundToEven(float64(v)))
}
