package models

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// draftFaults collects faults of a Hugging Face checkpoint in one file.
type draftFaults struct{ inputs []badInput }

// edit spoils the checkpoint before it is written.
func (l *draftFaults) edit(name string, f func(d *draft)) {
	l.inputs = append(l.inputs, badInput{name, func(t *testing.T, _ string) error {
		d := newDraft(tiny, F16)
		f(d)
		return openHere(t, d.write(t))
	}})
}

// entry spoils the description of a tensor.
func (l *draftFaults) entry(name string, f func(e *safetensorsEntry)) {
	l.edit(name, func(d *draft) { f(&d.tensor("model.layers.0.self_attn.q_proj.weight").entry) })
}

// file spoils the file of weights.
func (l *draftFaults) file(name string, f func(data []byte) []byte) {
	l.inputs = append(l.inputs, badInput{name, func(t *testing.T, _ string) error {
		d := newDraft(tiny, F16)
		dir := d.write(t)
		put(t, dir, singleFile, f(safetensors(d.tensors, aligned(d.tensors))))
		return openHere(t, dir)
	}})
}

// header puts another header in front of no data.
func (l *draftFaults) header(name, text string) {
	l.file(name, func([]byte) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	})
}

func TestBadSafetensors(t *testing.T) {
	var l draftFaults
	l.addEntries()
	l.addTensors()
	l.addHeaders()
	checkBad(t, "bad-safetensors.golden", l.inputs)
}

func (l *draftFaults) addEntries() {
	l.entry("offsets that overlap", func(e *safetensorsEntry) { e.Offsets[0] -= 64; e.Offsets[1] -= 64 })
	l.entry("offsets past the end", func(e *safetensorsEntry) { e.Offsets[0] += 1 << 40; e.Offsets[1] += 1 << 40 })
	l.entry("offsets backwards", func(e *safetensorsEntry) { e.Offsets[0], e.Offsets[1] = e.Offsets[1], e.Offsets[0] })
	l.entry("one offset", func(e *safetensorsEntry) { e.Offsets = e.Offsets[:1] })
	l.entry("a tensor of 2^60 elements", func(e *safetensorsEntry) { e.Shape = []uint64{1 << 30, 1 << 30} })
	l.entry("dimensions whose product overflows", func(e *safetensorsEntry) { e.Shape = []uint64{1 << 63, 2} })
	l.entry("a size that is not the shape's", func(e *safetensorsEntry) { e.Shape[0]++ })
	l.entry("an unknown type", func(e *safetensorsEntry) { e.DType = "F8_E4M3" })
	l.entry("a transposed shape, of the right size", func(e *safetensorsEntry) { e.Shape = []uint64{32, 128} })
}

func (l *draftFaults) addTensors() {
	l.edit("a tensor missing", func(d *draft) { d.tensors = d.tensors[:len(d.tensors)-1] })
	l.edit("a tensor too many", func(d *draft) {
		end := d.tensors[len(d.tensors)-1].entry.Offsets[1]
		entry := safetensorsEntry{"F16", []uint64{4}, []uint64{end, end + 8}}
		d.tensors = append(d.tensors, draftTensor{"model.layers.0.self_attn.q_proj.bias", entry, make([]byte, 8)})
	})
	l.edit("a tensor twice", func(d *draft) { d.tensors = append(d.tensors, d.tensors[3]) })
	l.edit("a name that is no line", func(d *draft) { d.tensors[3].name = "a\nb" })
	l.file("a truncated tensor", func(b []byte) []byte { return b[:len(b)-1] })
	l.file("four bytes", func(b []byte) []byte { return b[:4] })
}

func (l *draftFaults) addHeaders() {
	l.file("a header longer than the file", func(b []byte) []byte {
		binary.LittleEndian.PutUint64(b, uint64(len(b)))
		return b
	})
	l.file("a header of 2^63 bytes", func(b []byte) []byte {
		binary.LittleEndian.PutUint64(b, 1<<63)
		return b
	})
	l.header("a header that is no JSON", "GGUF")
	l.header("a header that is a list", "[1]")
	l.header("a header that ends early", `{"a":`)
	l.header("two headers", "{}{}")
	l.header("a deep header", `{"a":`+strings.Repeat("[", 1<<20))
	l.header("a deep shape", `{"a":{"shape":`+strings.Repeat("[", 1<<20))
	l.header("a negative dimension", `{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`)
	l.header("a dimension of text", `{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}`)
	l.header("a dimension of 1e400", `{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}}`)
	l.header("no tensor", `{}`)
}

// openHere opens a checkpoint and names its folder DIR in errors.
func openHere(t *testing.T, dir string) error {
	t.Helper()
	err := openAll(dir)
	if err == nil {
		return nil
	}
	return hereError(strings.ReplaceAll(err.Error(), dir, "DIR"))
}

type hereError string

func (e hereError) Error() string { return string(e) }

// shards spoils a checkpoint of two files and an index.
func (l *draftFaults) shards(name string, f func(t *testing.T, dir string)) {
	l.inputs = append(l.inputs, badInput{name, func(t *testing.T, _ string) error {
		dir := newDraft(tiny, F16).writeShards(t, 2)
		f(t, dir)
		return openHere(t, dir)
	}})
}

// indexText gives the index another text.
func (l *draftFaults) indexText(name, text string) {
	l.shards(name, func(t *testing.T, dir string) { put(t, dir, indexFile, []byte(text)) })
}

// index spoils where the index says that tensors are.
func (l *draftFaults) index(name string, f func(where map[string]string)) {
	l.shards(name, func(t *testing.T, dir string) {
		var all struct {
			WeightMap map[string]string `json:"weight_map"`
		}
		if err := json.Unmarshal(readFile(t, filepath.Join(dir, indexFile)), &all); err != nil {
			t.Fatal(err)
		}
		f(all.WeightMap)
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, indexFile, text)
	})
}

func TestBadIndex(t *testing.T) {
	const first = "model-00001-of-00002.safetensors"
	var l draftFaults
	l.shards("a file missing", func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, first)); err != nil {
			t.Fatal(err)
		}
	})
	l.shards("a truncated file", func(t *testing.T, dir string) {
		if err := os.Truncate(filepath.Join(dir, first), 5000); err != nil {
			t.Fatal(err)
		}
	})
	l.indexText("no JSON", "{]")
	l.indexText("no map", `{"metadata":{}}`)
	l.indexText("a map of numbers", `{"weight_map":{"a":1}}`)
	l.indexText("a name twice", `{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}`)
	l.index("a tensor in no file", func(w map[string]string) { delete(w, "model.norm.weight") })
	l.index("a tensor in the wrong file", func(w map[string]string) { w["model.norm.weight"] = first })
	l.index("a tensor too many", func(w map[string]string) { w["model.norm.bias"] = first })
	l.index("a file elsewhere", func(w map[string]string) { w["model.norm.weight"] = "../x.safetensors" })
	l.index("a file of another kind", func(w map[string]string) { w["model.norm.weight"] = "config.json" })
	checkBad(t, "bad-index.golden", l.inputs)
}
