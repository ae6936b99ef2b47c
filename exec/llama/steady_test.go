package llama_test

import (
	"testing"

	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/models"
)

// Decoding allocates nothing once the workspace has its size.
func TestSteadyState(t *testing.T) {
	for _, p := range models.Precisions() {
		m := newSynthetic(shapeOf(p), p)
		s := newChain(t, m, 2)[0]
		if err := s.Reserve(1, 60); err != nil {
			t.Fatal(err)
		}
		past, batch := 0, []llama.Seq{{ID: 1, N: 1, Tokens: []int{5}}}
		allocs := testing.AllocsPerRun(40, func() {
			batch[0].Past = past
			if _, err := s.Forward(batch, nil); err != nil {
				t.Fatal(err)
			}
			past++
		})
		if allocs > 0 {
			t.Errorf("%s: %g allocations a token", p, allocs)
		}
	}
}
