package models

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLlama2Sizes holds the shapes to the figures published for EdgeShard's
// models: parameters of a block in millions, GiB of a block and of the head in f32.
func TestLlama2Sizes(t *testing.T) {
	for _, want := range []struct{ model, params, block, head string }{
		{"llama2-7b", "202.38", "0.754", "0.488"},
		{"llama2-13b", "317.20", "1.182", "0.610"},
		{"llama2-70b", "855.65", "3.188", "0.977"},
	} {
		c, ok := Builtin(want.model)
		if !ok {
			t.Fatalf("no built-in %s", want.model)
		}
		gib := func(u int) string { return fmt.Sprintf("%.3f", float64(c.WeightBytes(u, F32))/(1<<30)) }
		head := c.Layers + 1
		for what, pair := range map[string][2]string{
			"parameters of a block": {fmt.Sprintf("%.2f", float64(c.Params(1))/1e6), want.params},
			"GiB of a block":        {gib(1), want.block},
			"GiB of the embedding":  {gib(0), want.head},
			"GiB of the head":       {gib(head), want.head},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %s is %s, want %s", want.model, what, pair[0], pair[1])
			}
		}
	}
}

// TestTotalParameters holds the sums to the model cards' totals.
func TestTotalParameters(t *testing.T) {
	for model, want := range map[string]int64{
		"llama2-7b": 6_738_415_616, "llama2-13b": 13_015_864_320, "llama2-70b": 68_976_648_192,
		"tinyllama-1.1b": 1_100_048_384,
	} {
		c, _ := Builtin(model)
		var total int64
		for u := range c.Units() {
			total += c.Params(u)
		}
		if total != want {
			t.Errorf("%s has %d parameters, want %d", model, total, want)
		}
	}
}

func TestBuiltins(t *testing.T) {
	want := []string{"llama2-7b", "llama2-13b", "llama2-70b", "tinyllama-1.1b", "demo"}
	if diff := cmp.Diff(want, Names()); diff != "" {
		t.Error(diff)
	}
	for _, name := range Names() {
		c, err := ConfigOf(name)
		if err != nil || c.Name != name {
			t.Errorf("ConfigOf(%q) = %s, %v", name, c.Name, err)
		}
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	if c, ok := Builtin("llama3"); ok {
		t.Errorf("Builtin(llama3) = %v", c)
	}
}

// TestPrefillIsDecodes: a prefill does the work in blocks of as many decode
// steps, but reads the weights once.
func TestPrefillIsDecodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(builtins).Draw(t, "config")
		u := rapid.IntRange(1, c.Layers).Draw(t, "unit")
		p := Pass{
			Batch:  rapid.IntRange(1, 8).Draw(t, "batch"),
			Tokens: rapid.IntRange(1, 64).Draw(t, "tokens"),
			Past:   rapid.IntRange(0, 64).Draw(t, "past"),
		}
		var flops int64
		for i := range p.Tokens {
			flops += c.FLOPs(u, Pass{Batch: p.Batch, Tokens: 1, Past: p.Past + i})
		}
		if got := c.FLOPs(u, p); got != flops {
			t.Fatalf("FLOPs of %+v = %d, of its tokens one by one %d", p, got, flops)
		}
		last := Pass{Batch: p.Batch, Tokens: 1, Past: p.Past + p.Tokens - 1}
		if got, want := c.ReadBytes(u, Q8_0, p), c.ReadBytes(u, Q8_0, last); got != want {
			t.Fatalf("ReadBytes of %+v = %d, of its last token %d", p, got, want)
		}
	})
}

func TestLoadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.toml")
	text := "vocab = 512\ndim = 64\nhidden = 172\nlayers = 5\nheads = 8\ncontext = 512\ntied = true\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ConfigOf(path)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Name: "mine", Vocab: 512, Dim: 64, Hidden: 172, Layers: 5, Heads: 8, KVHeads: 8, Context: 512,
		NormEps: 1e-5, RopeTheta: 10000, Tied: true, BOS: 1, EOS: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
