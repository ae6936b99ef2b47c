package llama_test

import (
	"testing"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/models"
)

// A chain is a model cut into shards of one process.
type chain []*llama.Shard

// newChain cuts m before each unit of cuts; threads 0 is one per CPU.
func newChain(t testing.TB, m models.Checkpoint, threads int, cuts ...int) chain {
	t.Helper()
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	var c chain
	from := 0
	for _, to := range append(cuts, m.Config().Units()) {
		s, err := llama.New(m, from, to, llama.Options{Pool: pool})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		c, from = append(c, s), to
	}
	return c
}

func (c chain) reserve(t testing.TB, seq, positions int) {
	t.Helper()
	for _, s := range c {
		if err := s.Reserve(seq, positions); err != nil {
			t.Fatal(err)
		}
	}
}

func (c chain) release(seq int) {
	for _, s := range c {
		s.Release(seq)
	}
}

// forward returns the batch's logits.
func (c chain) forward(t testing.TB, batch ...llama.Seq) []float32 {
	t.Helper()
	var x []float32
	for _, s := range c {
		var err error
		if x, err = s.Forward(batch, x); err != nil {
			t.Fatal(err)
		}
	}
	return append([]float32(nil), x...)
}

// prefill reserves a sequence and runs its tokens in chunks of at most size.
func (c chain) prefill(t testing.TB, seq int, tokens []int, size int) (logits []float32) {
	t.Helper()
	c.reserve(t, seq, len(tokens))
	for past := 0; past < len(tokens); past += size {
		n := min(size, len(tokens)-past)
		logits = c.forward(t, llama.Seq{ID: seq, Past: past, N: n, Tokens: tokens[past : past+n]})
	}
	return logits
}

// greedy prefills the prompt and decodes n more tokens; it returns them and the
// logits that chose each.
func (c chain) greedy(t testing.TB, seq int, prompt []int, n int) (tokens []int, logits [][]float32) {
	t.Helper()
	c.reserve(t, seq, len(prompt)+n)
	defer c.release(seq)
	next, past := prompt, 0
	for range n {
		l := c.forward(t, llama.Seq{ID: seq, Past: past, N: len(next), Tokens: next})
		past += len(next)
		next = []int{llama.Sample(l, 0, 0, 0)}
		tokens, logits = append(tokens, next[0]), append(logits, l)
	}
	return tokens, logits
}
