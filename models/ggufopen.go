package models

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
)

var ggufNames = names{
	embedding: "token_embd.weight", norm: "output_norm.weight", output: "output.weight",
	attnNorm: "blk.%d.attn_norm.weight",
	q:        "blk.%d.attn_q.weight",
	k:        "blk.%d.attn_k.weight",
	v:        "blk.%d.attn_v.weight",
	o:        "blk.%d.attn_output.weight",
	ffnNorm:  "blk.%d.ffn_norm.weight",
	gate:     "blk.%d.ffn_gate.weight",
	up:       "blk.%d.ffn_up.weight",
	down:     "blk.%d.ffn_down.weight",
}

// openGGUF opens the file of that name; it closes files if it fails.
func openGGUF(files folder, name string) (Checkpoint, error) {
	c, err := newGGUF(files, name)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return nil, errors.Join(err, files.Close())
	}
	return c, nil
}

func newGGUF(files folder, name string) (*checkpoint, error) {
	data, err := files.contents(name)
	if err != nil {
		return nil, err
	}
	f, cfg, err := parseModel(data, strings.TrimSuffix(name, filepath.Ext(name)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", files.path(name), err)
	}
	return &checkpoint{source: &ggufSource{file: f, files: files, name: name}, cfg: cfg, names: &ggufNames}, nil
}

// parseModel reads a header that describes a whole model.
func parseModel(data []byte, name string) (*ggufFile, Config, error) {
	f, err := parseGGUF(data)
	if err != nil {
		return nil, Config{}, err
	}
	cfg, err := f.config(name)
	if err != nil {
		return nil, Config{}, err
	}
	return f, cfg, match(&ggufNames, cfg, f.tensors)
}

// A ggufSource gives the tensors and the vocabulary of one file.
type ggufSource struct {
	file  *ggufFile
	files folder
	name  string
}

func (s *ggufSource) tensor(name string) (Tensor, string, error) {
	if _, err := s.files.contents(s.name); err != nil {
		return Tensor{}, "", err // closed
	}
	return s.file.tensors[name], s.files.path(s.name), nil // match found them all
}

func (s *ggufSource) tokenizer() (*Tokenizer, error) {
	if _, err := s.files.contents(s.name); err != nil {
		return nil, err // closed
	}
	t, err := ggufTokenizer(&ggufMeta{values: s.file.values})
	if err != nil {
		return nil, fmt.Errorf("%s: tokenizer: %w", s.files.path(s.name), err)
	}
	return t, nil
}

func (s *ggufSource) read(dst, data []byte) error { return s.files.read(dst, data) }

func (s *ggufSource) expect(data []byte) { s.files.expect(data) }

func (s *ggufSource) forget(data []byte) { s.files.forget(data) }

func (s *ggufSource) Close() error { return s.files.Close() }

// config reads the model's shape. name is for a file that has no name inside.
func (f *ggufFile) config(name string) (Config, error) {
	m := &ggufMeta{values: f.values}
	if arch := m.string("general.architecture"); m.err == nil && arch != "llama" {
		return Config{}, fmt.Errorf("general.architecture is %.99q: want \"llama\"", arch)
	}
	if inside := m.stringOr("general.name", name); isPlain(inside) {
		name = inside
	}
	_, output := f.tensors[ggufNames.output]
	cfg := Config{
		Name:      name,
		Vocab:     m.vocab(),
		Dim:       m.int("llama.embedding_length"),
		Hidden:    m.int("llama.feed_forward_length"),
		Layers:    m.int("llama.block_count"),
		Heads:     m.int("llama.attention.head_count"),
		Context:   m.int("llama.context_length"),
		NormEps:   m.float("llama.attention.layer_norm_rms_epsilon"),
		RopeTheta: m.floatOr("llama.rope.freq_base", 10000),
		Tied:      !output,
		BOS:       m.intOr("tokenizer.ggml.bos_token_id", 1),
		EOS:       m.intOr("tokenizer.ggml.eos_token_id", 2),
	}
	cfg.KVHeads = m.intOr("llama.attention.head_count_kv", cfg.Heads)
	if m.err != nil {
		return Config{}, m.err
	}
	if err := cfg.Validate(); err != nil {
		return Config{}, err
	}
	m.checkVariant(cfg)
	return cfg, m.err
}

// vocab returns the vocabulary's size, which older files tell only by their
// list of tokens.
func (m *ggufMeta) vocab() int {
	if m.has("llama.vocab_size") {
		return m.int("llama.vocab_size")
	}
	return int(min(m.array("tokenizer.ggml.tokens", ggufString).n, 1<<31-1))
}

// checkVariant refuses the relatives of Llama 2 that share its architecture's
// name but not its pass.
func (m *ggufMeta) checkVariant(c Config) {
	for _, want := range []struct {
		key string
		n   int
	}{
		{"llama.rope.dimension_count", c.HeadDim()},
		{"llama.attention.key_length", c.HeadDim()},
		{"llama.attention.value_length", c.HeadDim()},
		{"llama.expert_count", 0},
	} {
		if n := m.intOr(want.key, want.n); n != want.n {
			m.fail("metadata key %q is %d: want %d", want.key, n, want.n)
		}
	}
	if n := m.intOr("split.count", 1); n > 1 {
		m.fail("the model is split over %d files: join them with llama-gguf-split --merge", n)
	}
	if kind := m.stringOr("llama.rope.scaling.type", "none"); kind != "none" {
		m.checkLinear(kind)
	}
	if f := m.floatOr("llama.rope.scale_linear", 1); f != 1 {
		m.fail("metadata key \"llama.rope.scale_linear\" is %g: want 1", f)
	}
}

// checkLinear accepts the linear RoPE scaling that scales by nothing.
func (m *ggufMeta) checkLinear(kind string) {
	if f := m.floatOr("llama.rope.scaling.factor", 1); kind != "linear" || f != 1 {
		m.fail("RoPE scaling %.99q by %g is not supported: want none", kind, f)
	}
}

// isPlain tells whether a name fits in a line of text.
func isPlain(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}
