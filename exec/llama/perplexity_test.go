package llama_test

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/models"
)

// loss returns the mean negative log-likelihood, in nats, that a model gives the
// tokens of texts but the first of each.
func loss(t *testing.T, m models.Checkpoint, texts [][]int, o llama.Options) float64 {
	t.Helper()
	s, err := llama.New(m, 0, m.Config().Units(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var sum, n float64
	for i, tokens := range texts {
		if err := s.Reserve(i, len(tokens)); err != nil {
			t.Fatal(err)
		}
		for past := range tokens[1:] {
			logits, err := s.Forward([]llama.Seq{{ID: i, Past: past, N: 1, Tokens: tokens[past : past+1]}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			sum += surprise(logits, tokens[past+1])
			n++
		}
		s.Release(i)
	}
	return sum / n
}

// surprise returns -log softmax(logits)[token].
func surprise(logits []float32, token int) float64 {
	var sum float64
	for _, v := range logits {
		sum += math.Exp(float64(v - logits[token]))
	}
	return math.Log(sum)
}

// testLoss compares the loss of every precision with that of f32. bounds are of
// the difference, in nats a token.
func testLoss(t *testing.T, m models.Checkpoint, texts [][]int, bounds map[models.Precision]float64) {
	exact := loss(t, recode(t, m, models.F32), texts, llama.Options{})
	t.Logf("f32: %.4f nats a token, perplexity %.4f", exact, math.Exp(exact))
	for _, p := range []models.Precision{models.F16, models.BF16, models.Q8_0, models.Q4_0} {
		got := loss(t, recode(t, m, p), texts, llama.Options{})
		t.Logf("%s: %.4f nats a token, perplexity %.4f, %+.4f", p, got, math.Exp(got), got-exact)
		if math.Abs(got-exact) > bounds[p] {
			t.Errorf("%s loses %.4f nats a token to f32, want at most %g", p, got-exact, bounds[p])
		}
	}
	half := loss(t, recode(t, m, models.F32), texts, llama.Options{KV: models.F16})
	t.Logf("f32, KV caches in f16: %.4f nats a token, %+.5f", half, half-exact)
	if math.Abs(half-exact) > 1e-3 {
		t.Errorf("f16 KV caches lose %.5f nats a token", half-exact)
	}
}

// The stories were drawn from the demo model's grammar with a seed that it was
// not trained on.
func TestPerplexityDemo(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "heldout.txt"))
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, "demo")
	tokenizer, err := m.Tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]int
	for _, story := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		texts = append(texts, tokenizer.Encode(story, true))
	}
	testLoss(t, m, texts, map[models.Precision]float64{models.F16: 1e-4, models.BF16: 5e-3, models.Q8_0: 5e-3, models.Q4_0: 0.2})
}

// The texts are the reference's own continuations.
func TestPerplexityStories260K(t *testing.T) {
	m, folder := stories(t)
	var texts [][]int
	for n := 1; n <= 3; n++ {
		var ref reference
		readJSON(t, filepath.Join(folder, "reference", "p"+strconv.Itoa(n)+".tokens.json"), &ref)
		texts = append(texts, append(ref.Prompt, ref.Generated...))
	}
	testLoss(t, m, texts, map[models.Precision]float64{models.F16: 1e-3, models.BF16: 5e-3, models.Q8_0: 1e-2, models.Q4_0: 0.3})
}
