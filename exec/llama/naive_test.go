package llama_test

import (
	"math"

	"github.com/edgeshard/edgeshard/models"
)

// naive computes the logits after the last token in float64, the textbook's way.
func naive(m models.Checkpoint, tokens []int) []float64 {
	c := m.Config()
	x := embed(m, tokens)
	for l := range c.Layers {
		u, _ := m.Unit(l + 1)
		naiveBlock(c, u, x)
	}
	u, _ := m.Unit(c.Layers + 1)
	return product(u.Output, naiveNorm(c, x[len(x)-1], u.Norm))
}

func embed(m models.Checkpoint, tokens []int) (x [][]float64) {
	c := m.Config()
	u, _ := m.Unit(0)
	table := values(u.Embedding)
	for _, t := range tokens {
		x = append(x, append([]float64(nil), table[t*c.Dim:][:c.Dim]...))
	}
	return x
}

func naiveBlock(c models.Config, u models.Unit, x [][]float64) {
	var ks, vs [][]float64
	for p, row := range x {
		h := naiveNorm(c, row, u.AttnNorm)
		q, k := product(u.Q, h), product(u.K, h)
		naiveRotate(c, q, p)
		naiveRotate(c, k, p)
		ks, vs = append(ks, k), append(vs, product(u.V, h))
		accumulate(row, product(u.O, naiveAttend(c, q, ks, vs)))
	}
	for _, row := range x {
		h := naiveNorm(c, row, u.FFNNorm)
		gate, up := product(u.Gate, h), product(u.Up, h)
		for i, g := range gate {
			gate[i] = g / (1 + math.Exp(-g)) * up[i]
		}
		accumulate(row, product(u.Down, gate))
	}
}

func naiveNorm(c models.Config, x []float64, w models.Tensor) []float64 {
	sum, out := 0.0, make([]float64, len(x))
	for _, v := range x {
		sum += v * v
	}
	for i, v := range values(w) {
		out[i] = x[i] / math.Sqrt(sum/float64(len(x))+c.NormEps) * v
	}
	return out
}

func naiveRotate(c models.Config, x []float64, pos int) {
	n := c.HeadDim()
	for h := 0; h < len(x); h += n {
		for i := range n / 2 {
			a, b := h+2*i, h+2*i+1
			if c.RopeHalf {
				a, b = h+i, h+i+n/2
			}
			sin, cos := math.Sincos(float64(pos) * math.Pow(c.RopeTheta, -2*float64(i)/float64(n)))
			x[a], x[b] = x[a]*cos-x[b]*sin, x[a]*sin+x[b]*cos
		}
	}
}

func naiveAttend(c models.Config, q []float64, ks, vs [][]float64) []float64 {
	n, out := c.HeadDim(), make([]float64, len(q))
	for h := range c.Heads {
		kv := h / (c.Heads / c.KVHeads) * n
		var sum float64
		for t, k := range ks {
			var score float64
			for i := range n {
				score += q[h*n+i] * k[kv+i]
			}
			w := math.Exp(score / math.Sqrt(float64(n)))
			sum += w
			for i := range n {
				out[h*n+i] += w * vs[t][kv+i]
			}
		}
		for i := range n {
			out[h*n+i] /= sum
		}
	}
	return out
}

func product(t models.Tensor, x []float64) []float64 {
	w, out := values(t), make([]float64, t.Rows)
	for r := range out {
		for i, v := range x {
			out[r] += w[r*t.Cols+i] * v
		}
	}
	return out
}

func accumulate(to, x []float64) {
	for i, v := range x {
		to[i] += v
	}
}
