package models

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// A ggufMeta reads metadata values by key. The first failure is kept in err.
type ggufMeta struct {
	values map[string]ggufValue
	err    error
}

func (m *ggufMeta) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

func (m *ggufMeta) has(key string) bool {
	_, ok := m.values[key]
	return ok
}

// require returns the value of key, which must be there.
func (m *ggufMeta) require(key string) ggufValue {
	v, ok := m.values[key]
	if !ok {
		m.fail("metadata key %q is missing", key)
	}
	return v
}

func (m *ggufMeta) int(key string) int {
	v := m.require(key)
	if m.err != nil {
		return 0
	}
	n, ok := v.integer()
	if !ok {
		m.fail("metadata key %q is not an integer of 31 bits, but %v", key, v.kind)
	}
	return n
}

func (m *ggufMeta) intOr(key string, absent int) int {
	if !m.has(key) {
		return absent
	}
	return m.int(key)
}

func (m *ggufMeta) float(key string) float64 {
	v := m.require(key)
	if m.err != nil {
		return 0
	}
	switch v.kind {
	case ggufFloat32:
		return shortest(math.Float32frombits(binary.LittleEndian.Uint32(v.raw)))
	case ggufFloat64:
		return math.Float64frombits(binary.LittleEndian.Uint64(v.raw))
	}
	m.fail("metadata key %q is %v: want float32", key, v.kind)
	return 0
}

func (m *ggufMeta) floatOr(key string, absent float64) float64 {
	if !m.has(key) {
		return absent
	}
	return m.float(key)
}

func (m *ggufMeta) string(key string) string {
	v := m.require(key)
	if m.err == nil && v.kind != ggufString {
		m.fail("metadata key %q is %v: want string", key, v.kind)
	}
	return string(v.raw)
}

func (m *ggufMeta) stringOr(key, absent string) string {
	if !m.has(key) {
		return absent
	}
	return m.string(key)
}

func (m *ggufMeta) boolOr(key string, absent bool) bool {
	v, ok := m.values[key]
	if !ok {
		return absent
	}
	if v.kind != ggufBool {
		m.fail("metadata key %q is %v: want bool", key, v.kind)
		return absent
	}
	return v.raw[0] != 0
}

// array returns the value of key, which must be an array of elem.
func (m *ggufMeta) array(key string, elem ggufType) ggufValue {
	v := m.require(key)
	if m.err == nil && (v.kind != ggufArray || v.elem != elem) {
		m.fail("metadata key %q is %v: want an array of %v", key, v.kind, elem)
	}
	if m.err != nil {
		return ggufValue{}
	}
	return v
}

func (m *ggufMeta) strings(key string) []string {
	v := m.array(key, ggufString)
	c := cursor{data: v.raw}
	var all []string
	for range v.n {
		all = append(all, c.str("string"))
	}
	return all
}

func (m *ggufMeta) floats(key string) []float32 {
	v := m.array(key, ggufFloat32)
	all := make([]float32, len(v.raw)/4)
	for i := range all {
		all[i] = math.Float32frombits(binary.LittleEndian.Uint32(v.raw[4*i:]))
	}
	return all
}

func (m *ggufMeta) ints(key string) []int32 {
	v := m.array(key, ggufInt32)
	all := make([]int32, len(v.raw)/4)
	for i := range all {
		all[i] = int32(binary.LittleEndian.Uint32(v.raw[4*i:]))
	}
	return all
}

// integer returns the value of any integer type that fits in 31 bits.
func (v ggufValue) integer() (int, bool) {
	var n int64
	switch v.kind {
	case ggufUint8:
		n = int64(v.raw[0])
	case ggufInt8:
		n = int64(int8(v.raw[0]))
	case ggufUint16:
		n = int64(binary.LittleEndian.Uint16(v.raw))
	case ggufInt16:
		n = int64(int16(binary.LittleEndian.Uint16(v.raw)))
	case ggufUint32:
		n = int64(binary.LittleEndian.Uint32(v.raw))
	case ggufInt32:
		n = int64(int32(binary.LittleEndian.Uint32(v.raw)))
	case ggufUint64, ggufInt64:
		n = int64(binary.LittleEndian.Uint64(v.raw))
	default:
		return 0, false
	}
	return int(n), n >= math.MinInt32 && n <= math.MaxInt32
}

// shortest returns the simplest number that f stands for: the 1e-5 that a
// file's float32 rounded to 9.99999974e-6.
func shortest(f float32) float64 {
	s := strconv.FormatFloat(float64(f), 'g', -1, 32)
	v, _ := strconv.ParseFloat(s, 64) // FormatFloat writes what ParseFloat reads
	return v
}
