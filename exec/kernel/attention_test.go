package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/edgeshard/edgeshard/models"
)

// attendExactly is attention in float64 over keys and values [positions][heads·dim].
func attendExactly(q []float32, ks, vs [][]float32, h, dim int) []float64 {
	out, sum := make([]float64, dim), 0.0
	for t, k := range ks {
		var score float64
		for i := range dim {
			score += float64(q[i]) * float64(k[h*dim+i])
		}
		w := math.Exp(score / math.Sqrt(float64(dim)))
		sum += w
		for i := range dim {
			out[i] += w * float64(vs[t][h*dim+i])
		}
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func TestAttendAgainstFloat64(t *testing.T) {
	for _, p := range Paths() {
		for _, kv := range []struct {
			p     models.Precision
			bound float64
		}{{models.F32, 1e-5}, {models.F16, 2e-3}} {
			for _, shape := range []struct{ dim, heads, group, past, n int }{
				{16, 2, 1, 0, 1}, {8, 1, 3, 17, 5}, {24, 3, 2, 30, 7}, {64, 2, 8, 100, 3}, {128, 1, 1, 33, 24}, {16, 1, 30, 5, 1},
			} {
				t.Run(fmt.Sprint(p.name, kv.p, shape), func(t *testing.T) {
					testAttend(t, p, kv.p, kv.bound, shape.dim, shape.heads, shape.group, shape.past, shape.n)
				})
			}
		}
	}
}

func testAttend(t *testing.T, p *Path, kv models.Precision, bound float64, dim, heads, group, past, n int) {
	rng := rand.New(rand.NewPCG(1, 1))
	shape := CacheShape{Precision: kv, Heads: heads, Dim: dim, Positions: past + n + 3}
	c := shape.New(bytesOf(make([]float32, (shape.Bytes()+3)/4))[:shape.Bytes()])
	var ks, vs [][]float32
	for pos := range past + n {
		k, v := vector(rng, heads*dim, 1), vector(rng, heads*dim, 1)
		c.Store(pos, k, v)
		ks, vs = append(ks, k), append(vs, v)
	}
	stride := heads * group * dim
	q, out := vector(rng, n*stride, 1), make([]float32, n*stride)
	a := p.NewAttention(dim, past+n)
	for h := range heads {
		a.Attend(out, q, stride, c, h, group, past, n)
	}
	for i := range n {
		for h := range heads * group {
			at := i*stride + h*dim
			for j, want := range attendExactly(q[at:][:dim], ks[:past+i+1], vs, h/group, dim) {
				if got := float64(out[at+j]); math.Abs(got-want) > bound {
					t.Fatalf("row %d, head %d, element %d is %g, want %g", i, h, j, got, want)
				}
			}
		}
	}
}
