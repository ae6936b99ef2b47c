package models

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A draft is a Hugging Face checkpoint that a test may spoil before it is
// written.
type draft struct {
	config  map[string]any
	tensors []draftTensor
}

type draftTensor struct {
	name  string
	entry safetensorsEntry
	data  []byte
}

// newDraft returns a sound checkpoint of random bytes in cfg's shape.
func newDraft(cfg Config, p Precision) *draft {
	d := &draft{config: map[string]any{
		"model_type": "llama", "hidden_act": "silu", "vocab_size": cfg.Vocab, "hidden_size": cfg.Dim,
		"intermediate_size": cfg.Hidden, "num_hidden_layers": cfg.Layers, "num_attention_heads": cfg.Heads,
		"num_key_value_heads": cfg.KVHeads, "max_position_embeddings": cfg.Context, "rms_norm_eps": cfg.NormEps,
		"rope_theta": cfg.RopeTheta, "rope_scaling": nil, "tie_word_embeddings": cfg.Tied,
		"bos_token_id": cfg.BOS, "eos_token_id": cfg.EOS, "use_cache": true,
	}}
	dtype := map[Precision]string{F32: "F32", F16: "F16", BF16: "BF16"}[p]
	rng := rand.NewChaCha8([32]byte{1})
	at := uint64(0)
	for u := range cfg.Units() {
		for _, s := range huggingFaceNames.slots(cfg, u, new(Unit)) {
			if u > 0 && s.name == huggingFaceNames.embedding {
				continue
			}
			data := make([]byte, p.Bytes(int64(s.rows)*int64(s.cols)))
			rng.Read(data)
			shape := []uint64{uint64(s.rows), uint64(s.cols)}
			if s.rows == 1 {
				shape = shape[1:]
			}
			end := at + uint64(len(data))
			d.tensors = append(d.tensors, draftTensor{s.name, safetensorsEntry{dtype, shape, []uint64{at, end}}, data})
			at = end
		}
	}
	return d
}

// tensor returns the tensor of that name, to be changed.
func (d *draft) tensor(name string) *draftTensor {
	for i := range d.tensors {
		if d.tensors[i].name == name {
			return &d.tensors[i]
		}
	}
	panic(name)
}

// safetensors encodes tensors, with pad spaces after the header.
func safetensors(tensors []draftTensor, pad int) []byte {
	header := []byte(`{"__metadata__":{"format":"pt"}`)
	var data []byte
	for _, t := range tensors {
		entry, err := json.Marshal(t.entry)
		if err != nil {
			panic(err)
		}
		header = fmt.Appendf(header, ",%q:%s", t.name, entry)
		data = append(data, t.data...)
	}
	header = fmt.Appendf(append(header, '}'), "%*s", pad, "")
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

// aligned is the padding that puts the data at a multiple of eight.
func aligned(tensors []draftTensor) int { return (8 - len(safetensors(tensors, 0))%8) % 8 }

// write writes the checkpoint in one file, to a new folder.
func (d *draft) write(t testing.TB) string {
	dir := d.writeConfig(t)
	put(t, dir, singleFile, safetensors(d.tensors, aligned(d.tensors)))
	return dir
}

func (d *draft) writeConfig(t testing.TB) string {
	config, err := json.Marshal(d.config)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, dir, configFile, config)
	return dir
}

// writeShards writes the checkpoint in n files and an index.
func (d *draft) writeShards(t testing.TB, n int) string {
	dir := d.writeConfig(t)
	where := make(map[string]string)
	per := (len(d.tensors) + n - 1) / n
	for i := range n {
		file := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, n)
		shard := append([]draftTensor(nil), d.tensors[i*per:min((i+1)*per, len(d.tensors))]...)
		start := shard[0].entry.Offsets[0]
		for j := range shard {
			o := shard[j].entry.Offsets
			shard[j].entry.Offsets = []uint64{o[0] - start, o[1] - start}
			where[shard[j].name] = file
		}
		put(t, dir, file, safetensors(shard, aligned(shard)))
	}
	index, err := json.Marshal(map[string]any{"metadata": map[string]int{"total_size": 1}, "weight_map": where})
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, indexFile, index)
	return dir
}

func put(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}
