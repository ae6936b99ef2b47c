package models

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// LoadConfig reads a model's shape from a TOML file whose keys are those of
// Config. Left out, kv_heads is heads, norm_eps 1e-5, rope_theta 10000, bos 1,
// eos 2 and name the file's. Errors name the file and the line or key.
func LoadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("model config: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	cfg, err := parseConfigTOML(name, string(text))
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

func parseConfigTOML(name, text string) (Config, error) {
	cfg := Config{Name: name, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2}
	meta, err := toml.Decode(text, &cfg)
	if err != nil {
		return Config{}, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		key := unknown[0]
		return Config{}, fmt.Errorf("line %d: unknown key %q: want name, vocab, dim, hidden, layers, heads, kv_heads, context, norm_eps, rope_theta, rope_half, tied, bos or eos",
			lineOf(text, key[0]), key.String())
	}
	if !meta.IsDefined("kv_heads") {
		cfg.KVHeads = cfg.Heads
	}
	return cfg, cfg.Validate()
}

// lineOf returns the line, from 1, that first mentions a top-level key or
// table: the decoder does not tell where the keys it skipped were.
func lineOf(text, key string) int {
	n := 0
	for line := range strings.Lines(text) {
		n++
		rest, found := strings.CutPrefix(strings.TrimLeft(line, " \t[\"'"), key)
		if found && strings.IndexAny(rest, " \t=.]\"'") == 0 {
			return n
		}
	}
	return n
}
