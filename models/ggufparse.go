package models

import (
	"encoding/binary"
	"fmt"
)

// GGUF's layout, after https://github.com/ggml-org/ggml/blob/master/docs/gguf.md:
// magic, version, tensor count, metadata count, metadata, tensor descriptions,
// padding to the alignment, then the tensors' data, each tensor aligned.
const (
	ggufMagic     = "GGUF"
	ggufVersion   = 3 // version 2 is the same but for big-endian files
	ggufAlignment = 32
	ggufMaxDims   = 4
)

// A ggufType is the type of a metadata value.
type ggufType uint32

const (
	ggufUint8 ggufType = iota
	ggufInt8
	ggufUint16
	ggufInt16
	ggufUint32
	ggufInt32
	ggufFloat32
	ggufBool
	ggufString
	ggufArray
	ggufUint64
	ggufInt64
	ggufFloat64
)

var ggufTypes = [...]struct {
	name string
	size int // bytes of a scalar
}{
	{"uint8", 1}, {"int8", 1}, {"uint16", 2}, {"int16", 2}, {"uint32", 4}, {"int32", 4},
	{"float32", 4}, {"bool", 1}, {"string", 0}, {"array", 0}, {"uint64", 8}, {"int64", 8}, {"float64", 8},
}

func (t ggufType) String() string {
	if int(t) < len(ggufTypes) {
		return ggufTypes[t].name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// A ggufValue is a metadata value, still encoded: the bytes of a scalar, of a
// string without its length, or of an array's n elements.
type ggufValue struct {
	kind, elem ggufType
	n          uint64
	raw        []byte
}

// A ggufFile is a parsed header over the file's memory.
type ggufFile struct {
	values  map[string]ggufValue
	tensors map[string]Tensor
}

// parseGGUF reads a file's header. It allocates in proportion to the entries
// that are there, never to the counts that the header claims.
func parseGGUF(data []byte) (*ggufFile, error) {
	c := &cursor{data: data}
	if magic := c.take(4, "magic"); string(magic) != ggufMagic {
		return nil, fmt.Errorf("magic is %.99q: want %.99q", magic, ggufMagic)
	}
	if v := c.u32("version"); c.err == nil && v != 2 && v != ggufVersion {
		return nil, fmt.Errorf("version is %d: want 2 or 3, little-endian", v)
	}
	tensors, values := c.count("tensors", 8+4+4+8), c.count("metadata keys", 8+4+1)
	f := &ggufFile{values: make(map[string]ggufValue)}
	for i := uint64(0); i < values && c.err == nil; i++ {
		f.readValue(c)
	}
	var infos []ggufInfo
	for i := uint64(0); i < tensors && c.err == nil; i++ {
		infos = append(infos, readInfo(c))
	}
	if c.err != nil {
		return nil, c.err
	}
	return f, f.place(infos, data, c.at)
}

func (f *ggufFile) readValue(c *cursor) {
	key := c.str("metadata key")
	v := c.value(key)
	if _, double := f.values[key]; double && c.err == nil {
		c.err = fmt.Errorf("metadata key %.99q appears twice", key)
	}
	f.values[key] = v
}

// A ggufInfo describes a tensor: dims innermost first, offset from the start of
// the data section.
type ggufInfo struct {
	name   string
	dims   []uint64
	kind   uint32
	offset uint64
}

func readInfo(c *cursor) ggufInfo {
	info := ggufInfo{name: c.str("tensor name")}
	n := c.u32("number of dimensions")
	if n > ggufMaxDims && c.err == nil {
		c.err = fmt.Errorf("tensor %.99q has %d dimensions: want at most %d", info.name, n, ggufMaxDims)
	}
	for i := uint32(0); i < n && c.err == nil; i++ {
		info.dims = append(info.dims, c.u64("dimension"))
	}
	info.kind, info.offset = c.u32("tensor type"), c.u64("tensor offset")
	return info
}

// place finds the tensors' data, which starts at the first aligned byte from end.
func (f *ggufFile) place(infos []ggufInfo, data []byte, end int) error {
	m := &ggufMeta{values: f.values}
	align := m.intOr("general.alignment", ggufAlignment)
	if m.err != nil {
		return m.err
	}
	if align&(align-1) != 0 || align <= 0 || align > 1<<20 {
		return fmt.Errorf("general.alignment is %d: want a power of two up to 2^20", align)
	}
	start := min((end+align-1)&^(align-1), len(data))
	s := &section{data: data[start:], tensors: make(map[string]Tensor)}
	for _, info := range infos {
		if err := s.addGGUF(info, uint64(align)); err != nil {
			return err
		}
	}
	f.tensors = s.tensors
	return s.disjoint()
}

func (s *section) addGGUF(info ggufInfo, align uint64) error {
	p, err := ggmlPrecision(info.kind)
	if err != nil {
		return fmt.Errorf("tensor %.99q %w", info.name, err)
	}
	dims := make([]uint64, len(info.dims))
	for i, d := range info.dims {
		dims[len(dims)-1-i] = d
	}
	t, err := matrix(p, dims)
	if err != nil {
		return fmt.Errorf("tensor %.99q: %w", info.name, err)
	}
	if info.offset%align != 0 {
		return fmt.Errorf("tensor %.99q is at offset %d: want a multiple of %d", info.name, info.offset, align)
	}
	return s.add(info.name, p, dims, info.offset, info.offset+uint64(p.Bytes(int64(t.Rows)*int64(t.Cols))))
}

// A cursor reads little-endian values; its first failure is kept in err, and
// everything read after that is zero.
type cursor struct {
	data []byte
	at   int
	err  error
}

func (c *cursor) take(n uint64, what string) []byte {
	if left := len(c.data) - c.at; c.err == nil && n > uint64(left) {
		c.err = fmt.Errorf("%s at byte %d takes %d bytes, but only %d are left: the file is truncated or wrong", what, c.at, n, left)
	}
	if c.err != nil {
		return nil
	}
	b := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return b
}

func (c *cursor) u32(what string) uint32 {
	if b := c.take(4, what); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64(what string) uint64 {
	if b := c.take(8, what); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads the number of entries that follow, of size bytes at least.
func (c *cursor) count(what string, size int) uint64 {
	n := c.u64("number of " + what)
	if left := len(c.data) - c.at; c.err == nil && n > uint64(left/size) {
		c.err = fmt.Errorf("%d %s, more than the %d bytes that are left can hold: the file is truncated or wrong", n, what, left)
	}
	return n
}

func (c *cursor) str(what string) string {
	return string(c.take(c.u64(what+" length"), what))
}

func (c *cursor) value(key string) ggufValue {
	v := ggufValue{kind: ggufType(c.u32("metadata type"))}
	switch {
	case c.err != nil:
	case v.kind == ggufString:
		v.raw = c.take(c.u64("string length"), "string")
	case v.kind == ggufArray:
		c.array(key, &v)
	case int(v.kind) < len(ggufTypes):
		v.raw = c.take(uint64(ggufTypes[v.kind].size), "value")
	default:
		c.err = fmt.Errorf("metadata key %.99q has %v, which GGUF does not know", key, v.kind)
	}
	return v
}

// array skips over an array's elements, so that v spans them.
func (c *cursor) array(key string, v *ggufValue) {
	v.elem = ggufType(c.u32("array type"))
	switch {
	case c.err != nil:
	case v.elem == ggufString:
		v.n = c.count("strings", 8)
		start := c.at
		for i := uint64(0); i < v.n && c.err == nil; i++ {
			c.take(c.u64("string length"), "string")
		}
		v.raw = c.data[start:c.at]
	case int(v.elem) < len(ggufTypes) && v.elem != ggufArray:
		size := ggufTypes[v.elem].size
		v.n = c.count("array elements", size)
		v.raw = c.take(v.n*uint64(size), "array")
	default:
		c.err = fmt.Errorf("metadata key %.99q is an array of %v: want scalars or strings", key, v.elem)
	}
}
