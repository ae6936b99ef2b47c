package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// A section is the part of a file that holds tensors' data, and the tensors
// found in it.
type section struct {
	data    []byte
	tensors map[string]Tensor
	spans   []span
}

// A span is the half-open range of a section that a tensor takes.
type span struct {
	name     string
	from, to uint64
}

// add enters the tensor that takes bytes from..to of the section. dims are its
// dimensions, the outermost first; all but the innermost are its rows.
func (s *section) add(name string, p Precision, dims []uint64, from, to uint64) error {
	t, err := matrix(p, dims)
	if err != nil {
		return fmt.Errorf("tensor %.99q: %w", name, err)
	}
	size := uint64(p.Bytes(int64(t.Rows) * int64(t.Cols)))
	switch _, double := s.tensors[name]; {
	case double:
		return fmt.Errorf("tensor %.99q appears twice", name)
	case from > to || to > uint64(len(s.data)):
		return fmt.Errorf("tensor %.99q takes bytes %d to %d of a data section of %d bytes: the file is truncated or wrong", name, from, to, len(s.data))
	case to-from != size:
		return fmt.Errorf("tensor %.99q takes %d bytes: want %d for %d×%d of %v", name, to-from, size, t.Rows, t.Cols, p)
	}
	t.Data = s.data[from:to:to]
	s.tensors[name] = t
	s.spans = append(s.spans, span{name, from, to})
	return nil
}

// disjoint reports two tensors that share bytes.
func (s *section) disjoint() error {
	slices.SortFunc(s.spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(s.spans); i++ {
		if a, b := s.spans[i-1], s.spans[i]; b.from < a.to {
			return fmt.Errorf("tensors %.99q (bytes %d to %d) and %.99q (%d to %d) overlap", a.name, a.from, a.to, b.name, b.from, b.to)
		}
	}
	return nil
}

// matrix returns the dataless tensor of the given dimensions, the outermost
// first. A tensor of 2^48 elements or more is refused, so that sizes in bytes
// never overflow.
func matrix(p Precision, dims []uint64) (Tensor, error) {
	rows, cols := uint64(1), uint64(1)
	if len(dims) > 0 {
		cols = dims[len(dims)-1]
	}
	elements := cols
	for i, d := range dims {
		if d == 0 || d > math.MaxInt32 || elements > 1<<48/d {
			return Tensor{}, fmt.Errorf("dimensions %d: want each above 0 and fewer than 2^48 elements", dims)
		}
		if i < len(dims)-1 {
			rows *= d
			elements *= d
		}
	}
	if block := p.BlockElements(); cols%uint64(block) != 0 {
		return Tensor{}, fmt.Errorf("rows of %d elements: want a multiple of %d for %v", cols, block, p)
	}
	return Tensor{Precision: p, Rows: int(rows), Cols: int(cols)}, nil
}

// elementAligned returns data where a four-byte element may be read in place:
// the same memory, but for files whose writer did not pad the header.
func elementAligned(data []byte) []byte {
	if uintptr(unsafe.Pointer(unsafe.SliceData(data)))%4 == 0 {
		return data
	}
	return slices.Clone(data)
}
