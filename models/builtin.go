package models

import (
	"fmt"
	"slices"
	"strings"
)

// builtins are the shapes known by name: Llama 2 as its paper gives it
// (arXiv 2307.09288, with the sizes of Meta's params.json), TinyLlama 1.1B
// (arXiv 2401.02385) and the embedded demo model.
var builtins = []Config{
	{
		Name: "llama2-7b", Vocab: 32000, Dim: 4096, Hidden: 11008, Layers: 32, Heads: 32, KVHeads: 32,
		Context: 4096, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	},
	{
		Name: "llama2-13b", Vocab: 32000, Dim: 5120, Hidden: 13824, Layers: 40, Heads: 40, KVHeads: 40,
		Context: 4096, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	},
	{
		Name: "llama2-70b", Vocab: 32000, Dim: 8192, Hidden: 28672, Layers: 80, Heads: 64, KVHeads: 8,
		Context: 4096, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	},
	{
		Name: "tinyllama-1.1b", Vocab: 32000, Dim: 2048, Hidden: 5632, Layers: 22, Heads: 32, KVHeads: 4,
		Context: 2048, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	},
	{
		Name: Demo, Vocab: 1024, Dim: 128, Hidden: 352, Layers: 8, Heads: 8, KVHeads: 4,
		Context: 256, NormEps: 1e-5, RopeTheta: 10000, RopeHalf: true, BOS: 1, EOS: 2,
	},
}

// Demo is the name of the embedded model, the one built-in shape that has weights.
const Demo = "demo"

// Names returns the built-in models' names.
func Names() []string {
	names := make([]string, len(builtins))
	for i, c := range builtins {
		names[i] = c.Name
	}
	return names
}

// Builtin returns the built-in shape of that name.
func Builtin(name string) (Config, bool) {
	i := slices.IndexFunc(builtins, func(c Config) bool { return c.Name == name })
	if i < 0 {
		return Config{}, false
	}
	return builtins[i], true
}

// ConfigOf returns the shape that ref names: a built-in's name, a TOML file
// (LoadConfig), or a checkpoint (Open), of which only the metadata is read.
func ConfigOf(ref string) (Config, error) {
	if c, ok := Builtin(ref); ok {
		return c, nil
	}
	if strings.HasSuffix(ref, ".toml") {
		return LoadConfig(ref)
	}
	ckpt, err := Open(ref)
	if err != nil {
		return Config{}, err
	}
	cfg := ckpt.Config()
	if err := ckpt.Close(); err != nil {
		return Config{}, fmt.Errorf("close %s: %w", ref, err)
	}
	return cfg, nil
}
