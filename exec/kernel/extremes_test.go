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

// A NaN in a key reaches the rows that attend to it, and no others.
func TestAttendNotFinite(t *testing.T) {
	for _, p := range Paths() {
		rng := rand.New(rand.NewPCG(1, 1))
		const dim, n, bad = 24, 9, 5
		shape := CacheShape{Precision: models.F32, Heads: 1, Dim: dim, Positions: n}
		c := shape.New(bytesOf(make([]float32, shape.Bytes()/4)))
		for pos := range n {
			k := vector(rng, dim, 1)
			if pos == bad {
				k[3] = float32(math.NaN())
			}
			c.Store(pos, k, vector(rng, dim, 1))
		}
		q, out := vector(rng, n*dim, 1), make([]float32, n*dim)
		p.NewAttention(dim, n).Attend(out, q, dim, c, 0, 1, 0, n)
		for i, v := range out {
			if finite(v) != (i/dim < bad) {
				t.Fatalf("%s: row %d is %g with a NaN in key %d", p.name, i/dim, v, bad)
			}
		}
	}
}
