package llama_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/models"
)

func story(n, vocab int) []int {
	tokens := make([]int, n)
	for i := range tokens {
		tokens[i] = (i*i*7 + 3*i + 1) % vocab
	}
	return tokens
}

// The bound on a logit's error against float64, relative to the largest logit:
// for the wide precisions rounding in f32, for BF16 and the quantised ones also
// that of the activations to 8 bits.
var logitBound = map[models.Precision]float64{
	models.F32: 2e-5, models.F16: 2e-5, models.BF16: 3e-2, models.Q8_0: 6e-2, models.Q4_0: 6e-2,
	models.Q4_K: 0.1, models.Q5_K: 0.1, models.Q6_K: 6e-2,
}

func TestForwardAgainstFloat64(t *testing.T) {
	odd, even, half := oddShape, evenShape, evenShape
	half.RopeHalf, half.KVHeads = true, 4
	for _, c := range []struct {
		config models.Config
		p      models.Precision
	}{
		{odd, models.F32}, {odd, models.F16}, {odd, models.BF16},
		{even, models.F32}, {even, models.Q8_0}, {even, models.Q4_0}, {half, models.F16},
		{shapeOf(models.Q4_K), models.Q4_K}, {shapeOf(models.Q5_K), models.Q5_K}, {shapeOf(models.Q6_K), models.Q6_K},
	} {
		t.Run(fmt.Sprint(c.p, c.config.Dim, c.config.RopeHalf), func(t *testing.T) {
			m := newSynthetic(c.config, c.p)
			tokens := story(21, c.config.Vocab)
			want := naive(m, tokens)
			got := newChain(t, m, 0).prefill(t, 1, tokens, len(tokens))
			largest := math.Max(slices.Max(want), -slices.Min(want))
			for i, v := range got {
				if diff := math.Abs(float64(v) - want[i]); !(diff <= logitBound[c.p]*largest) {
					t.Fatalf("logit %d is %g, want %g: off by %g of the largest", i, v, want[i], diff/largest)
				}
			}
		})
	}
}

// However the model is cut, the prompt chunked, the work divided among threads
// and whatever runs beside: the same bits.
func TestSameBits(t *testing.T) {
	for _, p := range models.Precisions() {
		t.Run(p.String(), func(t *testing.T) {
			m := newSynthetic(shapeOf(p), p)
			tokens := story(37, evenShape.Vocab)
			want := newChain(t, m, 1).prefill(t, 1, tokens, len(tokens))
			for _, threads := range []int{2, 3} {
				for _, cuts := range [][]int{nil, {1}, {2, 4}, {1, 2, 3, 4}} {
					for _, chunk := range []int{1, 5, 16, 37} {
						got := newChain(t, m, threads, cuts...).prefill(t, 1, tokens, chunk)
						if !slices.Equal(got, want) {
							t.Fatalf("%d threads, cuts %v, chunks of %d: other logits", threads, cuts, chunk)
						}
					}
				}
			}
		})
	}
}

func TestBatchSameBits(t *testing.T) {
	for _, p := range models.Precisions() {
		m := newSynthetic(shapeOf(p), p)
		c := newChain(t, m, 2, 2)
		vocab := evenShape.Vocab
		lengths := []int{1, 17, 30, 2, 5}
		var want [][]float32
		var batch, step []llama.Seq
		for i, n := range lengths {
			alone := 100 + i
			tokens := story(n+1, vocab)
			want = append(want, c.prefill(t, alone, tokens, n))
			c.reserve(t, i, n+1)
			batch = append(batch, llama.Seq{ID: i, N: n, Tokens: tokens[:n]})
			step = append(step, llama.Seq{ID: i, Past: n, N: 1, Tokens: tokens[n:]})
		}
		c.forward(t, batch...)
		got := c.forward(t, step...)
		for i := range lengths {
			if !slices.Equal(got[i*vocab:][:vocab], want[i]) {
				t.Errorf("%s: sequence %d has other logits in a batch", p, i)
			}
		}
	}
}

func TestAccounting(t *testing.T) {
	m := newSynthetic(evenShape, models.F16)
	c := newChain(t, m, 1, 2)
	var weights int64
	for _, u := range m.units {
		weights += u.Bytes()
	}
	if got := c[0].WeightBytes() + c[1].WeightBytes(); got != weights {
		t.Errorf("the shards hold %d bytes of weights, want %d", got, weights)
	}
	c.reserve(t, 1, 32)
	var want int64
	for u := 2; u < evenShape.Units(); u++ {
		want += evenShape.KVBytes(u, 32)
	}
	if got := c[1].KVBytes(); got != want {
		t.Errorf("KV cache of %d bytes, want %d", got, want)
	}
	before := c[1].WorkspaceBytes()
	c.forward(t, llama.Seq{ID: 1, N: 8, Tokens: story(8, evenShape.Vocab)})
	if after := c[1].WorkspaceBytes(); after < before+evenShape.WorkspaceBytes(8) {
		t.Errorf("workspace grew from %d to %d bytes, want %d more", before, after, evenShape.WorkspaceBytes(8))
	}
	c.release(1)
	if got := c[1].KVBytes(); got != 0 {
		t.Errorf("%d bytes of KV cache after release", got)
	}
}
