package models

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/internal/golden"
)

// A badInput is a fault in a file, and how to run into it; where is a new folder.
type badInput struct {
	name string
	read func(t *testing.T, where string) error
}

// checkBad runs into every fault and keeps the errors in a golden file. Each is
// one line of readable length.
func checkBad(t *testing.T, file string, inputs []badInput) {
	t.Helper()
	var out bytes.Buffer
	for _, in := range inputs {
		where := t.TempDir()
		err := in.read(t, where)
		if err == nil {
			t.Errorf("%s: no error", in.name)
			continue
		}
		text := strings.ReplaceAll(err.Error(), filepath.Dir(where), "TEMP")
		text = strings.ReplaceAll(text, fmt.Sprintf("TEMP/%s", filepath.Base(where)), "DIR")
		if strings.ContainsAny(text, "\n\r") || len(text) > 250 {
			t.Errorf("%s: want one line of text, not %q", in.name, text)
		}
		fmt.Fprintf(&out, "%s\n    %s\n", in.name, text)
	}
	golden.Match(t, file, out.Bytes())
}

// openAll opens a checkpoint and reads everything in it.
func openAll(ref string) error {
	c, err := Open(ref)
	if err != nil {
		return err
	}
	defer c.Close()
	for u := range c.Config().Units() {
		if _, err := c.Unit(u); err != nil {
			return err
		}
	}
	_, err = c.Tokenizer()
	return err
}

func TestBadConfigTOML(t *testing.T) {
	const good = "vocab = 512\ndim = 64\nhidden = 172\nlayers = 5\nheads = 8\ncontext = 512\n"
	toml := func(name, text string) badInput {
		return badInput{name, func(t *testing.T, where string) error {
			_, err := LoadConfig(writeFile(t, filepath.Join(where, "my.toml"), []byte(text)))
			return err
		}}
	}
	checkBad(t, "bad-config-toml.golden", []badInput{
		{"no such file", func(_ *testing.T, where string) error {
			_, err := ConfigOf(filepath.Join(where, "my.toml"))
			return err
		}},
		toml("an empty file", ""),
		toml("a misspelt key", good+"\nkv_haeds = 4\n"),
		toml("a table", good+"\n\n[rope]\n"),
		toml("a dotted key", good+"rope.theta = 1e4\n"),
		toml("a quoted key", good+"\"rope theta\" = 1e4\n"),
		toml("a key twice", good+"dim = 32\n"),
		toml("text for a number", "vocab = \"32k\"\n"),
		toml("a fraction", "vocab = 1.5\n"),
		toml("not TOML", "vocab: 512\n"),
		toml("an unclosed string", good+"name = \"x\n"),
		toml("an escaped end of line", "\"\\\n"),
		toml("more than 64 bits", "vocab = 99999999999999999999\n"),
		toml("a negative size", good+"kv_heads = -1\n"),
		toml("2^60 blocks", strings.Replace(good, "layers = 5", "layers = 1152921504606846976", 1)),
		toml("heads that do not divide", strings.Replace(good, "heads = 8", "heads = 7", 1)),
		toml("kv_heads that do not divide", good+"kv_heads = 3\n"),
		toml("a theta that is no number", good+"rope_theta = nan\n"),
		toml("a BOS outside the vocabulary", good+"bos = 512\n"),
	})
}

func TestBadReferences(t *testing.T) {
	checkBad(t, "bad-references.golden", []badInput{
		{"a shape without weights", func(*testing.T, string) error { return openAll("llama2-7b") }},
		{"a typing error", func(*testing.T, string) error { return openAll("dmeo") }},
		{"a shape of that name", func(*testing.T, string) error {
			_, err := ConfigOf("llama3-8b")
			return err
		}},
		{"an empty folder", func(_ *testing.T, where string) error { return openAll(where) }},
		{"an empty file", func(t *testing.T, where string) error {
			return openAll(writeFile(t, filepath.Join(where, "x.gguf"), nil))
		}},
		{"some other file", func(t *testing.T, where string) error {
			return openAll(writeFile(t, filepath.Join(where, "x.gguf"), []byte("PK\x03\x04")))
		}},
		{"a device", func(*testing.T, string) error { return openAll("/dev/null") }},
	})
}
