package models

import (
	"bytes"
	"encoding/binary"
	"math"
	"path/filepath"
	"testing"
)

var le = binary.LittleEndian

// after returns what follows a length-prefixed string of a GGUF header, to be
// changed in place: a value's type, or a tensor's dimensions, type and offset.
func after(data []byte, name string) []byte {
	i := bytes.Index(data, appendString(nil, name))
	if i < 0 {
		panic(name)
	}
	return data[i+8+len(name):]
}

// The fields of a matrix's description, from its name on.
func setDims(info []byte, cols, rows uint64) {
	le.PutUint64(info[4:], cols)
	le.PutUint64(info[12:], rows)
}
func setKind(info []byte, kind uint32)     { le.PutUint32(info[20:], kind) }
func setOffset(info []byte, offset uint64) { le.PutUint64(info[24:], offset) }
func offset(info []byte) uint64            { return le.Uint64(info[24:]) }

// setValue changes a value of 32 bits.
func setValue(data []byte, key string, v uint32) {
	le.PutUint32(after(data, key)[4:], v)
}

// ggufFaults collects faults of a GGUF file.
type ggufFaults struct{ inputs []badInput }

// spoil gives the file another content.
func (l *ggufFaults) spoil(name string, f func(data []byte) []byte) {
	l.inputs = append(l.inputs, badInput{name, func(t *testing.T, where string) error {
		data := f(synthetic(t, tiny, F32))
		return openAll(writeFile(t, filepath.Join(where, "x.gguf"), data))
	}})
}

// edit changes the file's bytes in place.
func (l *ggufFaults) edit(name string, f func(data []byte)) {
	l.spoil(name, func(data []byte) []byte { f(data); return data })
}

func TestBadGGUF(t *testing.T) {
	var l ggufFaults
	l.addHeader()
	l.addMetadata()
	l.addTensors()
	l.addModel()
	l.addVariants()
	checkBad(t, "bad-gguf.golden", l.inputs)
}

func (l *ggufFaults) addHeader() {
	k := "blk.1.attn_k.weight"
	l.edit("version 1", func(b []byte) { le.PutUint32(b[4:], 1) })
	l.edit("big-endian", func(b []byte) { binary.BigEndian.PutUint32(b[4:], 3) })
	l.edit("2^60 tensors", func(b []byte) { le.PutUint64(b[8:], 1<<60) })
	l.edit("2^60 metadata keys", func(b []byte) { le.PutUint64(b[16:], 1<<60) })
	l.spoil("nothing but magic", func(b []byte) []byte { return b[:4] })
	l.spoil("truncated in the metadata", func(b []byte) []byte { return b[:300] })
	l.spoil("truncated in the tensors' descriptions", func(b []byte) []byte { return b[:len(b)-len(after(b, k))] })
	l.spoil("a truncated tensor", func(b []byte) []byte { return b[:len(b)-100] })
	l.spoil("no tensor data", func(b []byte) []byte { return b[:len(b)-len(after(b, "output.weight"))+32] })
}

func (l *ggufFaults) addMetadata() {
	l.edit("a string of 2^60 bytes", func(b []byte) { le.PutUint64(after(b, "general.name")[4:], 1<<60) })
	l.edit("an array of 2^60 numbers", func(b []byte) { le.PutUint64(after(b, "tokenizer.ggml.scores")[8:], 1<<60) })
	l.edit("an array of 2^62 numbers, whose bytes overflow", func(b []byte) { le.PutUint64(after(b, "tokenizer.ggml.scores")[8:], 1<<62) })
	l.edit("an array of 2^60 strings", func(b []byte) { le.PutUint64(after(b, "tokenizer.ggml.tokens")[8:], 1<<60) })
	l.edit("an array of arrays", func(b []byte) { le.PutUint32(after(b, "tokenizer.ggml.scores")[4:], uint32(ggufArray)) })
	l.edit("a value of unknown type", func(b []byte) { le.PutUint32(after(b, "llama.block_count"), 99) })
}

func (l *ggufFaults) addTensors() {
	q := "blk.0.attn_q.weight"
	l.edit("a tensor of 2^60 elements", func(b []byte) { setDims(after(b, q), 1<<30, 1<<30) })
	l.edit("a dimension of 2^63", func(b []byte) { setDims(after(b, q), 1<<63, 1) })
	l.edit("a dimension of 0", func(b []byte) { setDims(after(b, q), 64, 0) })
	l.edit("a tensor of 2^32-1 dimensions", func(b []byte) { le.PutUint32(after(b, q), math.MaxUint32) })
	l.edit("an unknown quantisation", func(b []byte) { setKind(after(b, q), 10) })
	l.edit("a type that ggml has not", func(b []byte) { setKind(after(b, q), 1000) })
	l.edit("a row that is no multiple of a block", func(b []byte) { setDims(after(b, q), 33, 64); setKind(after(b, q), 8) })
	l.edit("a wrong shape", func(b []byte) { setDims(after(b, q), 64, 32) })
	l.edit("a transposed shape", func(b []byte) { setDims(after(b, "blk.1.ffn_up.weight"), 96, 64) })
	l.edit("an offset that is not aligned", func(b []byte) { setOffset(after(b, q), offset(after(b, q))+4) })
	l.edit("an offset past the end", func(b []byte) { setOffset(after(b, q), 1<<40) })
	l.edit("an offset near 2^64", func(b []byte) { setOffset(after(b, q), math.MaxUint64-31) })
	l.edit("tensors that overlap", func(b []byte) { setOffset(after(b, q), offset(after(b, q))+64) })
	l.edit("a tensor twice", func(b []byte) { renameTo(b, "blk.0.attn_k.weight", q) })
	l.edit("a tensor missing", func(b []byte) { setValue(b, "llama.block_count", 3) })
	l.edit("a tensor too many", func(b []byte) { setValue(b, "llama.block_count", 1) })
	l.edit("2^24 blocks", func(b []byte) { setValue(b, "llama.block_count", 1<<24) })
}

func (l *ggufFaults) addModel() {
	l.edit("another architecture", func(b []byte) { copy(after(b, "general.architecture")[12:], "mamba") })
	l.edit("a key missing", func(b []byte) { rename(b, "llama.embedding_length") })
	l.edit("a key of the wrong type", func(b []byte) { le.PutUint32(after(b, "llama.block_count"), uint32(ggufFloat32)) })
	l.edit("a size above 2^31", func(b []byte) { setValue(b, "llama.embedding_length", 1<<31) })
	l.edit("a zero size", func(b []byte) { setValue(b, "llama.embedding_length", 0) })
	l.edit("a norm epsilon of infinity", func(b []byte) {
		setValue(b, "llama.attention.layer_norm_rms_epsilon", math.Float32bits(float32(math.Inf(1))))
	})
	l.edit("a partial RoPE", func(b []byte) { setValue(b, "llama.rope.dimension_count", 8) })
	l.edit("a vocabulary of another size", func(b []byte) { setValue(b, "llama.vocab_size", 299) })
	l.edit("BOS outside the vocabulary", func(b []byte) { setValue(b, "tokenizer.ggml.bos_token_id", 300) })
	l.edit("another kind of tokenizer", func(b []byte) { copy(after(b, "tokenizer.ggml.model")[12:], "gpt-2") })
	l.edit("a byte piece that is none", func(b []byte) { renameTo(b, "<0x41>", "<0x4G>") })
	l.edit("a byte piece twice", func(b []byte) { renameTo(b, "<0x41>", "<0x42>") })
	l.edit("a piece of unknown type", func(b []byte) { le.PutUint32(after(b, "tokenizer.ggml.token_type")[16:], 9) })
	l.edit("a piece twice", func(b []byte) { renameTo(b, "!", "\"") })
}

func (l *ggufFaults) addVariants() {
	for _, extra := range []struct {
		name, key string
		value     any
	}{
		{"a key twice", "llama.block_count", uint32(2)},
		{"an alignment of 3", "general.alignment", uint32(3)},
		{"an alignment of 0", "general.alignment", uint32(0)},
		{"YaRN", "llama.rope.scaling.type", "yarn"},
		{"linear RoPE scaling, by its old name", "llama.rope.scale_linear", float32(4)},
		{"experts", "llama.expert_count", uint32(8)},
		{"a head size of its own", "llama.attention.key_length", uint32(32)},
		{"a file of several", "split.count", uint32(3)},
		{"a character map", "tokenizer.ggml.precompiled_charsmap", []int32{1}},
		{"a flag that is none", "tokenizer.ggml.remove_extra_whitespaces", "yes"},
	} {
		l.spoil(extra.name, func([]byte) []byte { return withValue(extra.key, extra.value) })
	}
}

// rename spoils a key, so that it is not found.
func rename(data []byte, key string) { renameTo(data, key, "x"+key[1:]) }

func renameTo(data []byte, from, to string) {
	copy(data[len(data)-len(after(data, from))-len(from):], to)
}

// withValue returns a file that has one more metadata value.
func withValue(key string, value any) []byte {
	vocab, err := synthVocabulary(tiny)
	if err != nil {
		panic(err)
	}
	var h ggufHeader
	putConfig(&h, tiny, F32)
	putVocabulary(&h, vocab)
	h.put(key, value)
	for _, t := range synthTensors(tiny, F32) {
		h.tensor(t.name, t.precision, t.rows, t.cols)
	}
	return append(h.encode(), make([]byte, h.dataSize)...)
}
