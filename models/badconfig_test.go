package models

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// badConfigKeys are the values of config.json that no model read here can have.
var badConfigKeys = []struct {
	name, key string
	value     any
}{
	{"another model", "model_type", "mixtral"},
	{"another activation", "hidden_act", "gelu"},
	{"text for a number", "vocab_size", "32k"},
	{"a fraction", "num_hidden_layers", 2.5},
	{"a missing size", "hidden_size", nil},
	{"2^60 blocks", "num_hidden_layers", int64(1) << 60},
	{"a list of EOS", "eos_token_id", []int{1, 2}},
	{"a head size of its own", "head_dim", 128},
	{"heads that do not divide", "num_key_value_heads", 3},
	{"RoPE scaling", "rope_scaling", map[string]any{"type": "linear", "factor": 2}},
	{"RoPE scaling, as transformers 5 has it", "rope_parameters", map[string]any{"rope_type": "yarn", "rope_theta": 1e4}},
	{"biases", "attention_bias", true},
	{"quantised weights", "quantization_config", map[string]any{"bits": 4}},
}

func TestBadConfigJSON(t *testing.T) {
	var inputs []badInput
	for _, c := range badConfigKeys {
		inputs = append(inputs, badInput{c.name, func(t *testing.T, _ string) error {
			d := newDraft(tiny, F16)
			d.config[c.key] = c.value
			return openHere(t, d.write(t))
		}})
	}
	for _, text := range []string{"{", "[]", `{"a":` + strings.Repeat("[", 1<<20)} {
		inputs = append(inputs, badInput{text[:min(len(text), 6)], func(t *testing.T, _ string) error {
			dir := newDraft(tiny, F16).write(t)
			put(t, dir, configFile, []byte(text))
			return openHere(t, dir)
		}})
	}
	inputs = append(inputs, badInput{"no config.json", func(t *testing.T, _ string) error {
		dir := newDraft(tiny, F16).write(t)
		if err := os.Remove(filepath.Join(dir, configFile)); err != nil {
			t.Fatal(err)
		}
		return openHere(t, dir)
	}})
	checkBad(t, "bad-config-json.golden", inputs)
}

// vocabularyFaults collects faults of a tokenizer.model beside sound weights.
type vocabularyFaults struct{ inputs []badInput }

// file gives the file another content; nil is no file.
func (l *vocabularyFaults) file(name string, f func(v vocabulary) []byte) {
	l.inputs = append(l.inputs, badInput{name, func(t *testing.T, _ string) error {
		dir := newDraft(tiny, F16).write(t)
		v, err := synthVocabulary(tiny)
		if err != nil {
			t.Fatal(err)
		}
		if data := f(v); data != nil {
			put(t, dir, tokenizerFile, data)
		}
		return openHere(t, dir)
	}})
}

// edit spoils the vocabulary before it is encoded.
func (l *vocabularyFaults) edit(name string, f func(v *vocabulary)) {
	l.file(name, func(v vocabulary) []byte { f(&v); return encodeSentencePiece(v) })
}

// add appends a field to a sub-message of the model, which repeats it.
func (l *vocabularyFaults) add(name string, message, field protowire.Number, kind protowire.Type, value []byte) {
	l.file(name, func(v vocabulary) []byte {
		m := append(protowire.AppendTag(nil, field, kind), value...)
		return protowire.AppendBytes(protowire.AppendTag(encodeSentencePiece(v), message, protowire.BytesType), m)
	})
}

func TestBadTokenizerModel(t *testing.T) {
	var l vocabularyFaults
	l.file("no file", func(vocabulary) []byte { return nil })
	l.file("JSON", func(vocabulary) []byte { return []byte(`{"version": "1.0"}`) })
	l.file("truncated", func(v vocabulary) []byte { b := encodeSentencePiece(v); return b[:len(b)-3] })
	l.file("a piece longer than the file", func(vocabulary) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, protoPieces, protowire.BytesType), 1<<60)
	})
	l.add("the unigram model", protoTrainer, protoModelType, protowire.VarintType, []byte{1})
	l.add("spaces after words", protoTrainer, protoSuffix, protowire.VarintType, []byte{1})
	l.add("a character map", protoNormalizer, protoCharsmap, protowire.BytesType, []byte{1, 'x'})
	l.add("spaces as they are", protoNormalizer, protoEscape, protowire.VarintType, []byte{0})
	l.add("another name of BOS", protoTrainer, protoBOSPiece, protowire.BytesType, []byte{2, 'x', 'y'})
	l.edit("too many pieces", func(v *vocabulary) { v.pieces = append(v.pieces, piece{text: "more", kind: normalPiece}) })
	l.edit("a byte missing", func(v *vocabulary) { v.pieces[100].kind = controlPiece })
	l.edit("no way to say what is unknown", func(v *vocabulary) { withoutBytes(v); v.pieces[0].kind = controlPiece })
	checkBad(t, "bad-tokenizer-model.golden", l.inputs)
}
