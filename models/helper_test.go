package models

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// tiny is a shape that every precision can hold.
var tiny = Config{
	Name: "tiny", Vocab: 300, Dim: 64, Hidden: 96, Layers: 2, Heads: 4, KVHeads: 2,
	Context: 32, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
}

// external returns the path of a file of the test data that is not part of the
// project, and skips the test where that is absent.
func external(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("EDGESHARD_TESTDATA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs test data that is not part of the project: %v", err)
	}
	return path
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// synthetic returns a GGUF file of tiny's shape.
func synthetic(t testing.TB, cfg Config, p Precision) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSynth(t.Context(), &b, cfg, p, 0, 1); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mustOpen opens a checkpoint for the time of the test.
func mustOpen(t testing.TB, ref string) Checkpoint {
	t.Helper()
	c, err := Open(ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func mustTokenizer(t testing.TB, c Checkpoint) *Tokenizer {
	t.Helper()
	tok, err := c.Tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
