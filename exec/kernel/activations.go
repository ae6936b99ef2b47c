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

// A record of formQ8 holds 32 activations as integers, and what meets the scales
// and offsets of weights. The generator of the kernels knows these offsets too.
const (
	blockElements = 32
	recordBytes   = 64
	recordScale   = 32 // f32: the scale
	recordSum     = 36 // f32: the scale times the sum of the integers
	recordBiasQ8  = 40 // int32: -128 × the sum
	recordBiasQ4  = 44 // int32: -8 × the sum
	recordBiasQ6  = 48 // two int32: -32 × the sums of the first and last 16
)

// Activations are rows of activations in the companion form of a precision. The
// zero value is empty; its memory is reused from one Set to the next.
type Activations struct {
	form    Form
	n, cols int
	ops     *ops
	f32     []float32 // formF32: the caller's slice
	data    []byte    // the other forms, [n] rows of stride bytes
	stride  int
}

// Resize prepares for n rows of cols elements that meet weights of precision p
// on a path. For the quantised precisions cols must be a multiple of 32.
func (a *Activations) Resize(path *Path, p models.Precision, n, cols int) {
	a.form, a.n, a.cols, a.ops = FormOf(p), n, cols, &path.ops
	switch a.form {
	case formF32:
		a.stride = 4 * cols
		return
	case formBF16:
		a.stride = 2 * (cols + cols&1)
	case formQ8:
		a.stride = cols / blockElements * recordBytes
	}
	if n > 1 {
		a.stride = spaced(a.stride)
	}
	need := n * a.stride
	if cap(a.data) < need {
		a.data = aligned(make([]byte, need+align), align)
	}
	a.data = a.data[:need]
}

// spaced returns how far apart rows of that many bytes should begin. A tile reads
// the same columns of many rows: were these a large power of two apart, all of that
// would compete for a few sets of the caches.
func spaced(bytes int) int {
	const odd = 512
	return ((bytes+odd-1)/odd | 1) * odd
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
			a.ops.round(dst, row)
		} else {
			a.ops.quantize(dst, row)
		}
	}
}

func (a *Activations) bytes() []byte {
	if a.form == formF32 {
		return bytesOf(a.f32)
	}
	return a.data
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
	sum := sums[0] + sums[1]
	scale := peak / 127
	putF32(dst[recordScale:], scale)
	putF32(dst[recordSum:], scale*float32(sum))
	le.PutUint32(dst[recordBiasQ8:], uint32(-128*sum))
	le.PutUint32(dst[recordBiasQ4:], uint32(-8*sum))
	le.PutUint32(dst[recordBiasQ6:], uint32(-32*sums[0]))
	le.PutUint32(dst[recordBiasQ6+4:], uint32(-32*sums[1]))
}

func putF32(b []byte, v float32) { le.PutUint32(b, math.Float32bits(v)) }

func getF32(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }

// roundInt8 rounds to the nearest integer, ties to even; NaN and what does not fit become -128.
func roundInt8(v float32) int8 {
	if !(v > -128.5 && v < 127.5) {
		return -128
	}
	return int8(math.RoundToEven(float64(v)))
}
