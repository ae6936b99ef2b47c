package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// A configJSON is what we read of a Hugging Face config.json. Its many other
// keys say nothing about the pass of a Llama model.
type configJSON struct {
	ModelType string `json:"model_type"`
	HiddenAct string `json:"hidden_act"`

	Vocab   int  `json:"vocab_size"`
	Dim     int  `json:"hidden_size"`
	Hidden  int  `json:"intermediate_size"`
	Layers  int  `json:"num_hidden_layers"`
	Heads   int  `json:"num_attention_heads"`
	KVHeads *int `json:"num_key_value_heads"`
	HeadDim *int `json:"head_dim"`
	Context int  `json:"max_position_embeddings"`

	NormEps        float64         `json:"rms_norm_eps"`
	RopeTheta      *float64        `json:"rope_theta"`
	RopeScaling    json.RawMessage `json:"rope_scaling"`
	RopeParameters *ropeParameters `json:"rope_parameters"`

	AttentionBias bool `json:"attention_bias"`
	MLPBias       bool `json:"mlp_bias"`
	Tied          bool `json:"tie_word_embeddings"`
	BOS           *int `json:"bos_token_id"`
	EOS           *int `json:"eos_token_id"`

	Quantization json.RawMessage `json:"quantization_config"`
}

// ropeParameters is where transformers 5 puts what was rope_theta and rope_scaling.
type ropeParameters struct {
	Type  string   `json:"rope_type"`
	Theta *float64 `json:"rope_theta"`
}

// parseConfigJSON reads a model's shape from a config.json. Keys that are left
// out get transformers' LlamaConfig defaults where Llama checkpoints rely on them.
func parseConfigJSON(name string, text []byte) (Config, error) {
	j := configJSON{HiddenAct: "silu", NormEps: 1e-6}
	if err := json.Unmarshal(text, &j); err != nil {
		return Config{}, jsonError(err)
	}
	if err := j.checkVariant(); err != nil {
		return Config{}, err
	}
	cfg := Config{
		Name: name, Vocab: j.Vocab, Dim: j.Dim, Hidden: j.Hidden, Layers: j.Layers,
		Heads: j.Heads, KVHeads: or(j.KVHeads, j.Heads), Context: j.Context,
		NormEps: j.NormEps, RopeTheta: j.ropeTheta(), RopeHalf: true, Tied: j.Tied,
		BOS: or(j.BOS, 1), EOS: or(j.EOS, 2),
	}
	if err := cfg.Validate(); err != nil {
		return Config{}, err
	}
	if d := or(j.HeadDim, cfg.HeadDim()); d != cfg.HeadDim() {
		return Config{}, fmt.Errorf("head_dim is %d: want hidden_size/num_attention_heads, %d", d, cfg.HeadDim())
	}
	return cfg, nil
}

// checkVariant refuses what a Llama 2 pass does not compute.
func (j *configJSON) checkVariant() error {
	switch {
	case j.ModelType != "llama":
		return fmt.Errorf("model_type is %.99q: want \"llama\"", j.ModelType)
	case j.Vocab == 0 || j.Dim == 0 || j.Hidden == 0 || j.Layers == 0 || j.Heads == 0 || j.Context == 0:
		return errors.New("want vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads and max_position_embeddings")
	case j.HiddenAct != "silu":
		return fmt.Errorf("hidden_act is %.99q: want \"silu\"", j.HiddenAct)
	case isSet(j.RopeScaling):
		return fmt.Errorf("rope_scaling is %.80q: want none", bytes.TrimSpace(j.RopeScaling))
	case j.RopeParameters != nil && !slices.Contains([]string{"", "default"}, j.RopeParameters.Type):
		return fmt.Errorf("rope_parameters has rope_type %.99q: want \"default\"", j.RopeParameters.Type)
	case j.AttentionBias || j.MLPBias:
		return errors.New("attention_bias or mlp_bias is true: want neither")
	case isSet(j.Quantization):
		return errors.New("quantization_config is not supported: want plain F32, F16 or BF16 weights")
	}
	return nil
}

func (j *configJSON) ropeTheta() float64 {
	theta := or(j.RopeTheta, 10000)
	if j.RopeParameters != nil {
		theta = or(j.RopeParameters.Theta, theta)
	}
	return theta
}

// jsonError says of a value of the wrong type which it is and what was wanted.
func jsonError(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return fmt.Errorf("JSON: %w", err)
	case wrong.Field == "":
		return fmt.Errorf("JSON: found %s: want %v", wrong.Value, wrong.Type.Kind())
	}
	return fmt.Errorf("JSON: key %q is %s: want %v", wrong.Field, wrong.Value, wrong.Type.Kind())
}

// isSet tells whether a JSON value is there and not null.
func isSet(value json.RawMessage) bool { return len(value) > 0 && string(value) != "null" }

// or returns what p points to, or absent.
func or[T any](p *T, absent T) T {
	if p == nil {
		return absent
	}
	return *p
}
