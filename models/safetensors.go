package models

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// safetensors' layout, after https://github.com/huggingface/safetensors: the
// header's length in eight bytes, the header in JSON, the tensors' data.
const safetensorsMaxHeader = 100 << 20 // as in the reference implementation

var safetensorsPrecisions = map[string]Precision{"F32": F32, "F16": F16, "BF16": BF16}

// A safetensorsEntry describes a tensor: shape outermost first, offsets from
// the start of the data.
type safetensorsEntry struct {
	DType   string   `json:"dtype"`
	Shape   []uint64 `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
}

// parseSafetensors returns the tensors of a file over its memory.
func parseSafetensors(data []byte) (map[string]Tensor, error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("%d bytes are no safetensors file: want a header's length in 8", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-8) || n > safetensorsMaxHeader {
		return nil, fmt.Errorf("header of %d bytes in a file of %d: want it inside the file, and 100 MiB at most", n, len(data))
	}
	s := &section{data: data[8+n:], tensors: make(map[string]Tensor)}
	err := eachKey(data[8:8+n], func(name string, value *json.Decoder) error {
		if name == "__metadata__" {
			var skip json.RawMessage
			return value.Decode(&skip)
		}
		return s.addSafetensors(name, value)
	})
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return s.tensors, s.disjoint()
}

func (s *section) addSafetensors(name string, value *json.Decoder) error {
	var e safetensorsEntry
	if err := value.Decode(&e); err != nil {
		return fmt.Errorf("tensor %.99q: %w", name, jsonError(err))
	}
	p, ok := safetensorsPrecisions[e.DType]
	if !ok {
		return fmt.Errorf("tensor %.99q is %.99q, which is not supported: want F32, F16 or BF16", name, e.DType)
	}
	if len(e.Offsets) != 2 {
		return fmt.Errorf("tensor %.99q has %d data_offsets: want 2", name, len(e.Offsets))
	}
	return s.add(name, p, e.Shape, e.Offsets[0], e.Offsets[1])
}

// eachKey calls f for every key of a JSON object, with a decoder that stands
// before its value. A key that appears twice is an error, as is anything after
// the object.
func eachKey(text []byte, f func(key string, value *json.Decoder) error) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("JSON: want an object")
	}
	seen := make(map[string]bool)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("JSON: %w", err)
		}
		name := key.(string) // More and the '{' before it let nothing else pass
		if seen[name] {
			return fmt.Errorf("key %.99q appears twice", name)
		}
		seen[name] = true
		if err := f(name, dec); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("JSON: something follows the object")
	}
	return nil
}
