package kernel

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// lengths try whole vectors and every kind of tail.
var lengths = []int{1, 2, 15, 16, 17, 31, 32, 33, 48, 100, 128, 344, 1000}

var extremes = []float32{
	0, float32(math.Copysign(0, -1)), 1e-45, -1e-42, 1e-38, 1e-30, 1e30, -3e38, 65504, 87, 88, -87, -88, -104, -200,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
}

// vector draws n elements of a spread; every tenth vector has an extreme one.
func vector(rng *rand.Rand, n int, spread float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * spread)
	}
	return x
}

func native(t *testing.T, test func(t *testing.T, p *Path)) {
	for _, p := range nativePaths() {
		t.Run(p.name, func(t *testing.T) { test(t, p) })
	}
}

// near tells whether got is want within a relative error, or both are not finite.
func near(got, want, bound float64) bool {
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return math.IsNaN(got) || math.IsInf(got, 0)
	}
	return math.Abs(got-want) <= bound*math.Abs(want)+1e-36
}

func checkNear(t *testing.T, what string, got, want []float32, bound float64) {
	t.Helper()
	for i := range want {
		if !near(float64(got[i]), float64(want[i]), bound) {
			t.Fatalf("%s: element %d of %d is %g, want %g", what, i, len(want), got[i], want[i])
		}
	}
}

func TestOpsAgainstPlain(t *testing.T) {
	native(t, func(t *testing.T, p *Path) {
		rng := rand.New(rand.NewPCG(1, 2))
		for round := range 200 {
			n := lengths[round%len(lengths)]
			x, y := vector(rng, n+1, 3)[1:], vector(rng, n, 1) // x is not aligned
			if round%3 == 0 {
				x[rng.IntN(n)] = extremes[rng.IntN(len(extremes))]
			}
			plain, got := make([]float32, n), make([]float32, n)
			plainNorm(plain, x, y, 1e-5)
			p.RMSNorm(got, x, y, 1e-5)
			checkNear(t, "norm", got, plain, 1e-6)
			for _, op := range []struct {
				name        string
				plain, path func(to, from []float32)
			}{
				{"add", plainAdd, p.ops.add},
				{"activate", func(to, from []float32) { plainSwiGLU(from, to) }, func(to, from []float32) { p.ops.activate(from, to) }},
				{"softmax", func(_, from []float32) { plainSoftmax(from) }, func(_, from []float32) { p.ops.softmax(from) }},
			} {
				a, b := append([]float32(nil), x...), append([]float32(nil), x...)
				ya, yb := append([]float32(nil), y...), append([]float32(nil), y...)
				op.plain(ya, a)
				op.path(yb, b)
				checkNear(t, op.name, b, a, 2e-6)
				checkNear(t, op.name, yb, ya, 2e-6)
			}
		}
	})
}

func TestFormsAgainstPlain(t *testing.T) {
	native(t, func(t *testing.T, p *Path) {
		rng := rand.New(rand.NewPCG(1, 2))
		for round := range 300 {
			n := lengths[round%len(lengths)]
			x := vector(rng, n+1, math.Exp2(float64(rng.IntN(40)-20)))[1:]
			if round%3 == 0 {
				x[rng.IntN(n)] = extremes[rng.IntN(len(extremes)-3)]
			}
			want, got := make([]byte, 2*n), make([]byte, 2*n)
			roundBF16(want, x)
			p.ops.round(got, x)
			if !bytes.Equal(got, want) {
				t.Fatalf("bf16 of %g: %x, want %x", x, got, want)
			}
			x = x[:n/blockElements*blockElements]
			want, got = make([]byte, len(x)/blockElements*recordBytes), make([]byte, len(x)/blockElements*recordBytes)
			quantize(want, x)
			p.ops.quantize(got, x)
			if !bytes.Equal(got, want) {
				t.Fatalf("records of %g:\n%x, want\n%x", x, got, want)
			}
		}
	})
}

// A block with an infinity or a NaN has a scale that is one.
func TestQuantizeNotFinite(t *testing.T) {
	for _, p := range Paths() {
		for _, bad := range extremes[len(extremes)-3:] {
			x := make([]float32, blockElements)
			x[7], x[20] = 1, bad
			record := make([]byte, recordBytes)
			p.ops.quantize(record, x)
			if s := float64(getF32(record[recordScale:])); !math.IsNaN(s) && !math.IsInf(s, 0) {
				t.Errorf("%s: scale %g of a block with %g", p.name, s, bad)
			}
		}
	}
}

// The native paths of one CPU family add in the same order: the same bits.
func TestPathsSameBits(t *testing.T) {
	paths := nativePaths()
	if len(paths) < 2 {
		t.Skip("this CPU has less than two native paths")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		n := lanes * (1 + rng.IntN(40))
		x, w := vector(rng, n, 3), vector(rng, n, 1)
		var first []float32
		for _, p := range paths {
			y := make([]float32, n)
			p.ops.norm(y, x, w, 1e-5)
			p.ops.activate(y, w)
			p.ops.add(y, x)
			p.ops.softmax(y)
			if first == nil {
				first = y
			} else if !slices.Equal(y, first) {
				t.Fatalf("%s and %s differ", p.name, paths[0].name)
			}
		}
	}
}
