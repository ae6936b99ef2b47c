package llama_test

import (
	"slices"
	"testing"
)

// TestSpareMemory: KV caches take the memory of earlier ones, of their size or
// somewhat more, and compute in it as in new memory.
func TestSpareMemory(t *testing.T) {
	m := open(t, "demo")
	prompt := []int{5, 9, 2, 7}
	want, _ := newChain(t, m, 1).greedy(t, 1, prompt, 28)

	c := newChain(t, m, 1)
	s := c[0]
	spare := func(what string, want int64) {
		t.Helper()
		if got := s.SpareBytes(); got != want {
			t.Errorf("%s: %d bytes are spare, want %d", what, got, want)
		}
	}
	if err := s.Prepare(2, 40); err != nil {
		t.Fatal(err)
	}
	one := s.SpareBytes() / 2
	if one == 0 {
		t.Fatal("nothing was prepared")
	}
	for seq := range 3 {
		c.prefill(t, seq, slices.Repeat(prompt, 10), 40)
	}
	spare("with three sequences", 0)
	for seq := range 3 {
		c.release(seq)
	}
	spare("after them", 3*one)
	if got, _ := c.greedy(t, 3, prompt, 28); !slices.Equal(got, want) {
		t.Errorf("tokens %v in used memory, %v in new", got, want)
	}
	spare("after a smaller one", 3*one)
	c.reserve(t, 4, 41)
	spare("with a larger one", 0)
}
