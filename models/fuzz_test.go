package models

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// small is a shape whose files are short enough to be mutated well.
var small = Config{
	Name: "small", Vocab: 8, Dim: 4, Hidden: 6, Layers: 1, Heads: 2, KVHeads: 1,
	Context: 16, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
}

// A fakeFolder holds a fuzzer's files.
type fakeFolder map[string][]byte

func (f fakeFolder) path(name string) string { return name }
func (f fakeFolder) forget([]byte)           {}
func (f fakeFolder) expect([]byte)           {}

func (f fakeFolder) read(dst, data []byte) error {
	copy(dst, data)
	return nil
}

func (f fakeFolder) Close() error { return nil }
func (f fakeFolder) contents(name string) ([]byte, error) {
	data, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

// frugally runs a reader of n bytes and checks that it allocates in proportion
// to them, and that its error is one line.
func frugally(t *testing.T, n int, read func() error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := read()
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(2<<20+200*n); got > most {
		t.Errorf("%d bytes of input made it allocate %d, want at most %d", n, got, most)
	}
	if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("error of several lines: %q", err)
	}
}

// readAll reads all units, and encodes and decodes a text.
func readAll(c Checkpoint, err error) error {
	if err != nil {
		return err
	}
	for u := range c.Config().Units() {
		x, err := c.Unit(u)
		if err != nil {
			return err
		}
		if got := x.Bytes(); got <= 0 {
			return fmt.Errorf("unit %d has %d bytes", u, got)
		}
	}
	tok, err := c.Tokenizer()
	if err != nil {
		return err
	}
	return useTokenizer(tok, "Once upon a time \xff\U0001F999 <s>")
}

// useTokenizer checks what holds for any vocabulary.
func useTokenizer(tok *Tokenizer, text string) error {
	ids := tok.Encode(text, true)
	for _, id := range ids {
		if id < 0 || id >= tok.Vocab() {
			panic(fmt.Sprintf("token %d of %d", id, tok.Vocab()))
		}
	}
	if out := tok.Decode(ids); !utf8.ValidString(out) {
		panic(fmt.Sprintf("decoded %q", out))
	}
	return nil
}

func FuzzGGUF(f *testing.F) {
	vocabulary := small
	vocabulary.Vocab, vocabulary.Dim, vocabulary.Heads, vocabulary.Tied = 259, 2, 1, true
	f.Add(synthetic(f, vocabulary, F32))
	quantised := small
	quantised.Dim, quantised.Hidden = 32, 32
	f.Add(bareGGUF(small, F32))
	f.Add(bareGGUF(quantised, Q8_0))
	f.Add(bareGGUF(quantised, Q4_0))
	f.Fuzz(func(t *testing.T, data []byte) {
		frugally(t, len(data), func() error {
			return readAll(openGGUF(fakeFolder{"x.gguf": data}, "x.gguf"))
		})
	})
}

// bareGGUF is a model of zeros with no vocabulary.
func bareGGUF(cfg Config, p Precision) []byte {
	var h ggufHeader
	putConfig(&h, cfg, p)
	for _, t := range synthTensors(cfg, p) {
		h.tensor(t.name, t.precision, t.rows, t.cols)
	}
	return append(h.encode(), make([]byte, h.dataSize)...)
}

func FuzzSafetensors(f *testing.F) {
	d := newDraft(small, F16)
	config := []byte(`{"model_type":"llama","vocab_size":8,"hidden_size":4,"intermediate_size":6,"num_hidden_layers":1,
		"num_attention_heads":2,"num_key_value_heads":1,"max_position_embeddings":16}`)
	var index strings.Builder
	for _, t := range d.tensors {
		fmt.Fprintf(&index, `,%q:%q`, t.name, singleFile)
	}
	f.Add(safetensors(d.tensors, aligned(d.tensors)), []byte(`{"weight_map":{`+index.String()[1:]+`}}`))
	f.Add(safetensors(d.tensors[:2], 0), []byte(`{"weight_map":{}}`))
	f.Fuzz(func(t *testing.T, file, index []byte) {
		files := fakeFolder{configFile: config, singleFile: file, indexFile: index}
		for _, weights := range []string{singleFile, indexFile} {
			frugally(t, len(file)+len(index), func() error {
				return readAll(openHuggingFace(files, "small", weights))
			})
		}
	})
}

func FuzzTokenizerModel(f *testing.F) {
	for _, cut := range []int{40, 300} {
		v, err := synthVocabulary(tiny)
		if err != nil {
			f.Fatal(err)
		}
		v.pieces = v.pieces[:min(cut, len(v.pieces))]
		v.byteFallback = cut >= 259
		if !v.byteFallback {
			withoutBytes(&v)
		}
		f.Add(encodeSentencePiece(v), "Once upon a time")
	}
	f.Fuzz(func(t *testing.T, model []byte, text string) {
		// Pieces may be merged from text, and a byte may become a token.
		frugally(t, len(model)+10*len(text), func() error {
			tok, err := parseSentencePiece(model)
			if err != nil {
				return err
			}
			return useTokenizer(tok, text)
		})
	})
}

func FuzzConfigTOML(f *testing.F) {
	f.Add("name = \"x\"\nvocab = 512\ndim = 64\nhidden = 172\nlayers = 5\nheads = 8\nkv_heads = 4\ncontext = 512\n" +
		"norm_eps = 1e-5\nrope_theta = 1e4\nrope_half = true\ntied = false\nbos = 1\neos = 2\n")
	f.Add("[rope]\nvocab = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		frugally(t, len(text), func() error {
			cfg, err := parseConfigTOML("x.toml", []byte(text))
			if all := (*tomlfile.Error)(nil); errors.As(err, &all) {
				return errors.New(all.Faults[0].In(all.File)) // a line each
			}
			return useConfig(cfg, err)
		})
	})
}

func FuzzConfigJSON(f *testing.F) {
	f.Add([]byte(`{"model_type":"llama","vocab_size":8,"hidden_size":4,"intermediate_size":6,"num_hidden_layers":1,` +
		`"num_attention_heads":2,"num_key_value_heads":1,"max_position_embeddings":16,"head_dim":2,"rope_theta":1e4,"rms_norm_eps":1e-5,` +
		`"rope_scaling":null,"rope_parameters":{"rope_type":"default"},"bos_token_id":1,"eos_token_id":2,"tie_word_embeddings":true}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		frugally(t, len(text), func() error {
			cfg, err := parseConfigJSON("x", text)
			return useConfig(cfg, err)
		})
	})
}

// useConfig checks that a config that was accepted has sizes that can be summed.
func useConfig(cfg Config, err error) error {
	if err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	p := Pass{Batch: 1, Tokens: 1, Past: cfg.Context - 1}
	for _, u := range []int{0, 1, cfg.Layers + 1} {
		if cfg.WeightBytes(u, F32) <= 0 || cfg.FLOPs(u, p) < 0 || cfg.ReadBytes(u, F32, p) <= 0 {
			panic(fmt.Sprintf("sizes of unit %d overflow in %+v", u, cfg))
		}
	}
	return nil
}

// TestLyingHeaders: an allocation that a header asks for is not made.
func TestLyingHeaders(t *testing.T) {
	for _, v := range []string{"tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type"} {
		data := synthetic(t, tiny, F32)
		copy(after(data, v)[8:], "\x00\x00\x00\x00\x00\x01\x00\x00") // 2^40 elements
		frugally(t, 4096, func() error {
			_, err := parseGGUF(data)
			if err == nil {
				t.Errorf("%s of 2^40 elements: no error", v)
			}
			return err
		})
	}
	for _, at := range []int{8, 16} { // the counts of tensors and of metadata keys
		data := synthetic(t, tiny, F32)
		copy(data[at:], "\x00\x00\x00\x00\x00\x01\x00\x00")
		frugally(t, 4096, func() error {
			_, err := parseGGUF(data)
			if err == nil {
				t.Errorf("2^40 at byte %d: no error", at)
			}
			return err
		})
	}
}
