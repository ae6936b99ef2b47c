package models

import (
	"encoding/binary"
	"fmt"
)

// A ggufHeader builds the header of a GGUF file of version 3.
type ggufHeader struct {
	values, infos     []byte
	nValues, nTensors uint64
	dataSize          uint64 // of the tensors entered, each padded
}

// put enters a metadata value: uint32, float32, bool, string, []string,
// []float32 or []int32.
func (h *ggufHeader) put(key string, value any) {
	h.values = appendString(h.values, key)
	h.nValues++
	switch v := value.(type) {
	case uint32:
		h.values = appendLE(h.values, ggufUint32, v)
	case float32:
		h.values = appendLE(h.values, ggufFloat32, v)
	case bool:
		h.values = appendLE(h.values, ggufBool, v)
	case string:
		h.values = appendString(appendLE(h.values, ggufString), v)
	case []float32:
		h.values = appendLE(h.values, ggufArray, ggufFloat32, uint64(len(v)), v)
	case []int32:
		h.values = appendLE(h.values, ggufArray, ggufInt32, uint64(len(v)), v)
	case []string:
		h.values = appendLE(h.values, ggufArray, ggufString, uint64(len(v)))
		for _, s := range v {
			h.values = appendString(h.values, s)
		}
	default:
		panic(fmt.Sprintf("models: no GGUF type for %T", value))
	}
}

// tensor enters a tensor, whose data is to follow that of those before it.
func (h *ggufHeader) tensor(name string, p Precision, rows, cols int) {
	h.infos = appendString(h.infos, name)
	dims := []uint64{uint64(cols), uint64(rows)}
	if rows == 1 {
		dims = dims[:1]
	}
	h.infos = appendLE(h.infos, uint32(len(dims)), dims, ggmlFormats[p].tensor, h.dataSize)
	h.nTensors++
	h.dataSize += uint64(p.Bytes(int64(rows) * int64(cols)))
	h.dataSize += uint64(padding(h.dataSize))
}

// encode returns the header, padded to where the data begins.
func (h *ggufHeader) encode() []byte {
	b := appendLE([]byte(ggufMagic), uint32(ggufVersion), h.nTensors, h.nValues)
	b = append(append(b, h.values...), h.infos...)
	return append(b, make([]byte, padding(uint64(len(b))))...)
}

// padding returns the bytes from n to the next multiple of the alignment.
func padding(n uint64) int { return int(-n % ggufAlignment) }

func appendString(b []byte, s string) []byte {
	return append(appendLE(b, uint64(len(s))), s...)
}

// appendLE appends values of fixed size, little-endian.
func appendLE(b []byte, values ...any) []byte {
	for _, v := range values {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, v); err != nil {
			panic(err) // not of fixed size
		}
	}
	return b
}
