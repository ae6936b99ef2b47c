package kernel

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/edgeshard/edgeshard/models"
)

// spread is the largest power of two that extremeWeights scales by.
const spread = 60

// extremeWeights draws weights from denormal to very large, a few not finite.
func extremeWeights(rng *rand.Rand, p models.Precision, rows, cols int) models.Tensor {
	t := randomWeights(rng, p, rows, cols)
	for b := t.Data; len(b) > 0; b = b[p.BlockBytes():] {
		switch p {
		case models.F32:
			putF32(b, getF32(b)*float32(math.Exp2(float64(rng.IntN(200)-200+spread))))
		case models.BF16:
			le.PutUint16(b, F32ToBF16(float32(rng.NormFloat64()*math.Exp2(float64(rng.IntN(200)-200+spread)))))
		case models.Q6_K:
			extremeHalf(rng, b[208:])
		case models.Q4_K, models.Q5_K:
			extremeHalf(rng, b[2:])
			fallthrough
		default:
			extremeHalf(rng, b)
		}
	}
	return t
}

func extremeHalf(rng *rand.Rand, b []byte) {
	h := uint16(rng.Uint32())
	if h&0x7c00 == 0x7c00 && rng.IntN(30) > 0 {
		h &^= 0x4000 // mostly finite
	}
	if rng.IntN(4) == 0 {
		h &= 0x83ff // denormal
	}
	le.PutUint16(b, h)
}

// A path agrees with the plain one on weights and activations that are denormal,
// very large, infinite or NaN.
func TestMulExtremes(t *testing.T) {
	native(t, func(t *testing.T, p *Path) {
		for precision := range models.Precision(precisions) {
			rng := rand.New(rand.NewPCG(1, uint64(precision)))
			for range 40 {
				testExtremes(t, p, precision, rng)
			}
		}
	})
}

func testExtremes(t *testing.T, p *Path, precision models.Precision, rng *rand.Rand) {
	t.Helper()
	rows, n, cols := 1+rng.IntN(40), 1+rng.IntN(8), 256*(1+rng.IntN(3))
	w := extremeWeights(rng, precision, rows, cols)
	x := vector(rng, n*cols+1, math.Exp2(float64(rng.IntN(120)-60)))[1:]
	for range rng.IntN(4) {
		x[rng.IntN(len(x))] = extremes[rng.IntN(len(extremes))]
	}
	got, want := mul(newMatrix(t, p, w), x, n), mul(newMatrix(t, Plain, w), x, n)
	for i, size := range magnitudes(w, x, n) {
		// Rounding activations to integers at most doubles a term.
		tolerance := 2*orderBound*size + 1e-30
		if precision == models.BF16 { // takes denormal factors and sums for zero
			tolerance += float64(cols) * 0x1p-126 * (peak(x[i/rows*cols:][:cols]) + 8*math.Exp2(spread))
		}
		if !agrees(got[i], want[i], tolerance, size) {
			t.Fatalf("%s, %d rows of %d: output %d is %g, want %g of terms that add up to %g", precision, rows, cols, i, got[i], want[i], size)
		}
	}
}

func peak(x []float32) (most float64) {
	for _, v := range x {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// Packing in registers gives the panels that packing in Go does.
func TestPackAgainstPlain(t *testing.T) {
	native(t, func(t *testing.T, p *Path) {
		for precision := range models.Precision(precisions) {
			if p.tiles[precision] == nil {
				continue
			}
			rng := rand.New(rand.NewPCG(1, 1))
			for range 20 {
				w := randomWeights(rng, precision, 1+rng.IntN(70), 256*(1+rng.IntN(4)))
				fast := newMatrix(t, p, w)
				slow := &Matrix{Precision: precision, Rows: w.Rows, Cols: w.Cols, path: unhurried(p, precision), panels: make([]byte, len(fast.panels))}
				slow.Pack(0, w.Rows, w.Data)
				if !bytes.Equal(fast.panels, slow.panels) {
					t.Errorf("%s, %d×%d: other panels", precision, w.Rows, w.Cols)
				}
			}
		}
	})
}

// unhurried returns the path without its packing in registers.
func unhurried(p *Path, precision models.Precision) *Path {
	q, t := *p, *p.tiles[precision]
	t.pack = nil
	q.tiles[precision] = &t
	return &q
}

// What is not finite in a key or a value reaches the rows that attend to it, and
// no others: those have the bits that they have without it.
func TestAttendNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, p := range Paths() {
		t.Run(p.name, func(t *testing.T) {
			for _, precision := range []models.Precision{models.F32, models.F16} {
				for _, group := range []int{1, 2, 30} {
					for _, bad := range []struct{ key, value float32 }{{key: nan}, {value: nan}, {value: inf}, {value: -inf}} {
						testAttendNotFinite(t, p, precision, group, bad.key, bad.value)
					}
				}
			}
		})
	}
}

func testAttendNotFinite(t *testing.T, p *Path, precision models.Precision, group int, key, value float32) {
	t.Helper()
	const dim, past, bad, at = 24, 3, 5, 7 // row bad is the first that attends to what is not finite
	n, stride := AttendRows(group), group*dim
	attend := func(key, value float32) []float32 {
		rng := rand.New(rand.NewPCG(1, 1))
		shape := CacheShape{Precision: precision, Heads: 1, Dim: dim, Positions: past + n}
		c := shape.New(bytesOf(make([]float32, shape.Bytes()/4)))
		for pos := range past + n {
			k, v := vector(rng, dim, 1), vector(rng, dim, 1)
			if pos == past+min(bad, n-1) {
				k[at] += key
				v[at] += value
			}
			c.Store(pos, k, v)
		}
		q, out := vector(rng, n*stride, 1), make([]float32, n*stride)
		p.NewAttention(dim, past+n).Attend(out, q, stride, c, 0, group, past, n)
		return out
	}
	clean := attend(0, 0)
	for i, v := range attend(key, value) {
		reached := i/stride >= min(bad, n-1) && (key != 0 || i%dim == at)
		if finite(v) == reached || !reached && v != clean[i] {
			t.Fatalf("%s, groups of %d, key + %g, value + %g: row %d, element %d is %g, without it %g",
				precision, group, key, value, i/stride, i%dim, v, clean[i])
		}
	}
}
