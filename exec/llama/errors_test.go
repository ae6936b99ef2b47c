package llama_test

import (
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/models"
)

func TestForwardErrors(t *testing.T) {
	m := newSynthetic(evenShape, models.F32)
	c := newChain(t, m, 1, 2)
	c.reserve(t, 1, 8)
	c.forward(t, llama.Seq{ID: 1, N: 3, Tokens: []int{1, 2, 3}})
	one := []int{1}
	dim := evenShape.Dim
	for _, tc := range []struct {
		shard int
		batch []llama.Seq
		x     []float32
		want  string
	}{
		{0, nil, nil, "no sequences"},
		{0, []llama.Seq{{ID: 2, N: 1, Tokens: one}}, nil, "sequence 2: no KV cache is reserved"},
		{0, []llama.Seq{{ID: 1, Past: 2, N: 1, Tokens: one}}, nil, "begins at position 2, the KV cache holds 3"},
		{0, []llama.Seq{{ID: 1, Past: 4, N: 1, Tokens: one}}, nil, "begins at position 4, the KV cache holds 3"},
		{0, []llama.Seq{{ID: 1, Past: 3, N: 0}}, nil, "want at least 1"},
		{0, []llama.Seq{{ID: 1, Past: 3, N: 6, Tokens: make([]int, 6)}}, nil, "positions 3 to 8: 8 are reserved"},
		{0, []llama.Seq{{ID: 1, Past: 3, N: 2, Tokens: one}}, nil, "1 tokens for 2 positions"},
		{0, []llama.Seq{{ID: 1, Past: 3, N: 1, Tokens: []int{96}}}, nil, "token 96: the vocabulary has 96"},
		{0, []llama.Seq{{ID: 1, Past: 3, N: 1, Tokens: []int{-1}}}, nil, "token -1"},
		{0, []llama.Seq{{ID: 1, Past: 3, N: 1, Tokens: one}}, make([]float32, dim), "activations of 64 elements: want 0"},
		{0, []llama.Seq{{ID: 1, Past: 3, N: 1, Tokens: one}, {ID: 1, Past: 4, N: 1, Tokens: one}}, nil, "twice in the batch"},
		{1, []llama.Seq{{ID: 1, Past: 3, N: 2}}, make([]float32, dim), "activations of 64 elements: want 128"},
		{1, []llama.Seq{{ID: 1, Past: 3, N: 1}}, nil, "activations of 0 elements: want 64"},
	} {
		_, err := c[tc.shard].Forward(tc.batch, tc.x)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Forward(%v) = %v, want %q", tc.batch, err, tc.want)
		}
	}
	c.forward(t, llama.Seq{ID: 1, Past: 3, N: 1, Tokens: one}) // still usable
}

func TestReserveErrors(t *testing.T) {
	s := newChain(t, newSynthetic(evenShape, models.F32), 1)[0]
	if err := s.Reserve(1, 64); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		seq, positions int
		want           string
	}{
		{1, 5, "has a KV cache already"},
		{2, 65, "context of 64"},
		{2, 0, "0 positions"},
	} {
		if err := s.Reserve(tc.seq, tc.positions); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Reserve(%d, %d) = %v, want %q", tc.seq, tc.positions, err, tc.want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	good := func() *synthetic { return newSynthetic(evenShape, models.Q8_0) }
	for _, tc := range []struct {
		name     string
		spoil    func(*synthetic)
		from, to int
		want     string
	}{
		{"range", func(*synthetic) {}, 2, 2, "units [2, 2)"},
		{"beyond", func(*synthetic) {}, 0, 6, "units 0 to 4"},
		{"shape", func(s *synthetic) { s.units[1].K.Rows = 5 }, 0, 5, "unit 1: attention key is 5×64: want 32×64"},
		{"missing", func(s *synthetic) { s.units[2].FFNNorm = models.Tensor{} }, 0, 5, "feed-forward norm is 0×0: want 1×64"},
		{"short", func(s *synthetic) { s.units[4].Output.Data = s.units[4].Output.Data[:9] }, 4, 5, "output has 9 bytes"},
	} {
		m := good()
		tc.spoil(m)
		if _, err := llama.New(m, tc.from, tc.to, llama.Options{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: New = %v, want %q", tc.name, err, tc.want)
		}
	}
}
