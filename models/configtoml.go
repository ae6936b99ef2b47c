package models

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// LoadConfig reads a model's shape from a TOML file whose keys are those of
// Config. Left out, kv_heads is heads, norm_eps 1e-5, rope_theta 10000, bos 1,
// eos 2 and name the file's. Errors name the file and the line or key.
func LoadConfig(path string) (Config, error) {
	data, err := tomlfile.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("model config: %w", err)
	}
	return parseConfigTOML(path, data)
}

func parseConfigTOML(file string, data []byte) (Config, error) {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	cfg := Config{Name: name, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2}
	if err := tomlfile.Decode(file, data, &cfg); err != nil {
		return Config{}, err
	}
	cfg.KVHeads = cmp.Or(cfg.KVHeads, cfg.Heads)
	if err := cfg.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", file, err)
	}
	return cfg, nil
}
