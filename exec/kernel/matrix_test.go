package kernel

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/edgeshard/edgeshard/models"
	"pgregory.net/rapid"
)

// randomWeights draws rows × cols weights; scales of quantised blocks are drawn
// from a wide range, all else in them is any bits.
func randomWeights(rng *rand.Rand, p models.Precision, rows, cols int) models.Tensor {
	t := models.Tensor{Precision: p, Rows: rows, Cols: cols, Data: make([]byte, 1+int64(rows)*p.Bytes(int64(cols)))[1:]} // not aligned
	scale := func(b []byte) { le.PutUint16(b, F32ToF16(float32(rng.NormFloat64()/16))) }
	for i := range t.Data {
		t.Data[i] = byte(rng.Uint32())
	}
	for b := t.Data; len(b) > 0; b = b[p.BlockBytes():] {
		switch p {
		case models.F32:
			putF32(b, float32(rng.NormFloat64()))
		case models.F16:
			scale(b)
		case models.BF16:
			le.PutUint16(b, F32ToBF16(float32(rng.NormFloat64())))
		case models.Q6_K:
			scale(b[208:])
		case models.Q4_K, models.Q5_K:
			scale(b[2:])
			fallthrough
		default:
			scale(b)
		}
	}
	return t
}

func newMatrix(tb testing.TB, p *Path, t models.Tensor) *Matrix {
	tb.Helper()
	m, err := p.NewMatrix(t, func(n int) []byte { return make([]byte, n) })
	if err != nil {
		tb.Fatal(err)
	}
	m.Pack(0, t.Rows, t.Data)
	return m
}

func mul(m *Matrix, x []float32, n int) []float32 {
	var a Activations
	a.Resize(m.path, m.Precision, n, m.Cols)
	a.Set(x, 0, n)
	out := make([]float32, 1+n*m.Rows)[1:] // not aligned
	m.Mul(out, &a, 0, m.Rows)
	return out
}

// sizes writes the magnitudes of a row's weights. Where a weight is a product less a
// minimum, which may cancel out, both count.
func sizes(dst []float32, p models.Precision, row []byte) {
	unpack := map[models.Precision]unpacker{models.Q4_K: unpackQ4K, models.Q5_K: unpackQ5K}[p]
	if unpack == nil {
		Dequantize(dst, p, row)
		for i, w := range dst {
			dst[i] = float32(math.Abs(float64(w)))
		}
		return
	}
	blocks(dst, row, superElements, p.BlockBytes(), func(dst []float32, b []byte) {
		var s superblock
		unpack(&s, b)
		for i, q := range s.q {
			dst[i] = float32(math.Abs(float64(s.scale[i/s.size])*float64(q)) + math.Abs(float64(s.min[i/s.size])))
		}
	})
}

// magnitudes returns Σ|w·x| of every output: what its rounding errors scale with.
func magnitudes(t models.Tensor, x []float32, n int) []float64 {
	size, row, out := int(t.Precision.Bytes(int64(t.Cols))), make([]float32, t.Cols), make([]float64, n*t.Rows)
	for r := range t.Rows {
		sizes(row, t.Precision, t.Data[r*size:][:size])
		for i := range n {
			for j, w := range row {
				out[i*t.Rows+r] += math.Abs(float64(w) * float64(x[i*t.Cols+j]))
			}
		}
	}
	return out
}

// exact multiplies in float64, without rounding the activations.
func exact(t models.Tensor, x []float32, n int) []float64 {
	size, row, out := int(t.Precision.Bytes(int64(t.Cols))), make([]float32, t.Cols), make([]float64, n*t.Rows)
	for r := range t.Rows {
		Dequantize(row, t.Precision, t.Data[r*size:][:size])
		for i := range n {
			for j, w := range row {
				out[i*t.Rows+r] += float64(w) * float64(x[i*t.Cols+j])
			}
		}
	}
	return out
}

// orderBound bounds the difference that another order of the sums makes, relative
// to Σ|w·x|.
const orderBound = 2e-5

// companionBound is what rounding the activations may change, relative to Σ|w·x|.
var companionBound = [precisions]float64{
	models.F32: 1e-6, models.F16: 1e-6, models.BF16: 1.0 / 256, models.Q8_0: 0.01, models.Q4_0: 0.01,
	models.Q4_K: 0.03, models.Q5_K: 0.03, models.Q6_K: 0.01,
}

func TestMulAgainstPlain(t *testing.T) {
	native(t, func(t *testing.T, p *Path) {
		for precision := range models.Precision(precisions) {
			t.Run(precision.String(), func(t *testing.T) {
				rapid.Check(t, func(r *rapid.T) {
					rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
					rows := rapid.IntRange(1, 150).Draw(r, "rows")
					n := rapid.IntRange(1, 20).Draw(r, "n")
					block := precision.BlockElements()
					cols := block * rapid.IntRange(1, max(2, 600/block)).Draw(r, "blocks")
					w := randomWeights(rng, precision, rows, cols)
					x := vector(rng, n*cols+1, math.Exp2(float64(rng.IntN(20)-10)))[1:]
					want, got := mul(newMatrix(t, Plain, w), x, n), mul(newMatrix(t, p, w), x, n)
					for i, size := range magnitudes(w, x, n) {
						if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= orderBound*size+1e-30) {
							r.Fatalf("%d×%d, output %d is %g, want %g of terms that add up to %g", rows, cols, i, got[i], want[i], size)
						}
					}
				})
			})
		}
	})
}

// agrees tells whether got and want, sums of terms whose magnitudes add up to size,
// are the same within a tolerance. A term that is not finite makes both so; where
// a sum in another order might overflow, anything is right.
func agrees(got, want float32, tolerance, size float64) bool {
	switch {
	case !finite(got) && !finite(want):
		return true
	case math.IsNaN(size) || math.IsInf(size, 0):
		return false
	case size > math.MaxFloat32/4:
		return true
	}
	return math.Abs(float64(got)-float64(want)) <= tolerance
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

func TestPlainMulAgainstFloat64(t *testing.T) {
	for precision := range models.Precision(precisions) {
		rng := rand.New(rand.NewPCG(1, 1))
		const rows, cols, n = 20, 512, 3
		w, x := randomWeights(rng, precision, rows, cols), vector(rng, n*cols, 1)
		got, want := mul(newMatrix(t, Plain, w), x, n), exact(w, x, n)
		for i, size := range magnitudes(w, x, n) {
			if d := math.Abs(float64(got[i]) - want[i]); d > companionBound[precision]*size {
				t.Fatalf("%s: output %d is %g, want %g: off by %g of the terms", precision, i, got[i], want[i], d/size)
			}
		}
	}
}

// An output has the same bits whatever is multiplied beside it.
func TestMulSameBits(t *testing.T) {
	for _, p := range Paths() {
		for precision := range models.Precision(precisions) {
			rng := rand.New(rand.NewPCG(1, 1))
			const rows, cols, n = 83, 512, 29
			w, x := randomWeights(rng, precision, rows, cols), vector(rng, n*cols, 1)
			m := newMatrix(t, p, w)
			all := mul(m, x, n)
			for i := 0; i < n; {
				k := min(1+rng.IntN(9), n-i)
				if got := mul(m, x[i*cols:], k); !slices.Equal(got, all[i*rows:][:k*rows]) {
					t.Fatalf("%s, %s: rows %d to %d differ alone", p.name, precision, i, i+k-1)
				}
				i += k
			}
		}
	}
}

// Infinities and NaN reach the outputs that they belong to.
func TestMulNotFinite(t *testing.T) {
	for _, p := range Paths() {
		for precision := range models.Precision(precisions) {
			for _, bad := range []float32{float32(math.Inf(1)), float32(math.NaN())} {
				rng := rand.New(rand.NewPCG(1, 1))
				const rows, cols, n = 40, 256, 8
				w, x := randomWeights(rng, precision, rows, cols), vector(rng, n*cols, 1)
				x[3*cols+77] = bad
				for i, v := range mul(newMatrix(t, p, w), x, n) {
					if finite(v) != (i/rows != 3) {
						t.Fatalf("%s, %s, %g in row 3: row %d, output %d is %g", p.name, precision, bad, i/rows, i%rows, v)
					}
				}
			}
		}
	}
}

// Whatever bits a block holds, the product does not panic, and is the plain path's:
// within the bound where nothing overflows, not finite where a weight is not.
func FuzzBlocks(f *testing.F) {
	f.Add(uint8(0), []byte{1, 2, 3})
	f.Add(uint8(5), []byte{0xff, 0xff, 0x7c, 0x00, 0xfc, 0x01})
	f.Fuzz(func(t *testing.T, kind uint8, bits []byte) {
		p := models.Precision(int(kind) % precisions)
		const rows, cols = 18, 256
		w := models.Tensor{Precision: p, Rows: rows, Cols: cols, Data: make([]byte, rows*p.Bytes(cols))}
		for i := range w.Data {
			if len(bits) > 0 {
				w.Data[i] = bits[i%len(bits)]
			}
		}
		x := vector(rand.New(rand.NewPCG(1, 1)), 2*cols, 1)
		want := mul(newMatrix(t, Plain, w), x, 2)
		terms := magnitudes(w, x, 2)
		for _, path := range nativePaths() {
			for i, v := range mul(newMatrix(t, path, w), x, 2) {
				if !agrees(v, want[i], orderBound*terms[i]+1e-30, terms[i]) {
					t.Fatalf("%s, %s: output %d is %g, want %g of terms that add up to %g", path.name, p, i, v, want[i], terms[i])
				}
			}
		}
	})
}

func TestMulPathsSameBits(t *testing.T) {
	paths := nativePaths()
	if len(paths) < 2 {
		t.Skip("this CPU has less than two native paths")
	}
	for precision := range models.Precision(precisions) {
		rng := rand.New(rand.NewPCG(1, 1))
		const rows, cols, n = 83, 768, 9
		w, x := randomWeights(rng, precision, rows, cols), vector(rng, n*cols, 1)
		first := mul(newMatrix(t, paths[0], w), x, n)
		for _, p := range paths[1:] {
			if !slices.Equal(mul(newMatrix(t, p, w), x, n), first) {
				t.Errorf("%s: %s and %s differ", precision, p.name, paths[0].name)
			}
		}
	}
}

// Products have the same bits on every native path of every architecture: each
// output is one chain of fused multiply-adds. Only where the CPU takes small
// numbers for zero in products of bfloat16 may they differ.
func TestMulGolden(t *testing.T) {
	want := [precisions]uint64{
		models.F32: 0x37f376b5adb7d688, models.F16: 0xe0593850c0d16621, models.BF16: 0x158a9435da8e5cd6,
		models.Q8_0: 0xdf2bce47b4d111a8, models.Q4_0: 0x1347b603f167388d,
		models.Q4_K: 0x35da322d81f374f, models.Q5_K: 0xc9763b99ead53603, models.Q6_K: 0xaebf242acd03ec97,
	}
	native(t, func(t *testing.T, p *Path) {
		for precision := range models.Precision(precisions) {
			if p.tiles[precision] == nil {
				continue
			}
			rng := rand.New(rand.NewPCG(1, 1))
			const rows, cols, n = 40, 768, 7
			w, x := randomWeights(rng, precision, rows, cols), vector(rng, n*cols, 1)
			h := fnv.New64a()
			h.Write(bytesOf(mul(newMatrix(t, p, w), x, n)))
			if h.Sum64() != want[precision] {
				t.Errorf("%s: %#x, want %#x", precision, h.Sum64(), want[precision])
			}
		}
	})
}
