package models

import (
	"fmt"
	"strings"
)

// A Precision is the storage format of a tensor's elements.
type Precision uint8

// The formats a shard computes with. The quantised ones store blocks of 32
// elements along a row, or superblocks of 256, in GGUF's layout.
const (
	F32  Precision = iota
	F16            // IEEE 754 half
	BF16           // the upper half of an F32
	Q8_0           // f16 scale, 32 × int8: 34 bytes a block
	Q4_0           // f16 scale, 32 × 4 bits offset by 8: 18 bytes a block
	Q4_K           // 8 blocks of 32 × 4 bits with 6-bit scales and minima: 144 bytes a superblock
	Q5_K           // the same with 5 bits: 176 bytes
	Q6_K           // 16 blocks of 16 × 6 bits offset by 32, 8-bit scales: 210 bytes
)

type format struct {
	name          string
	elements, len int // of a block
}

var formats = [...]format{
	F32:  {"f32", 1, 4},
	F16:  {"f16", 1, 2},
	BF16: {"bf16", 1, 2},
	Q8_0: {"q8_0", 32, 34},
	Q4_0: {"q4_0", 32, 18},
	Q4_K: {"q4_k", 256, 144},
	Q5_K: {"q5_k", 256, 176},
	Q6_K: {"q6_k", 256, 210},
}

// Precisions returns every known precision, in declaration order.
func Precisions() []Precision {
	all := make([]Precision, len(formats))
	for i := range all {
		all[i] = Precision(i)
	}
	return all
}

// ParsePrecision reads a precision's name, such as "q8_0".
func ParsePrecision(s string) (Precision, error) {
	var names []string
	for p, f := range formats {
		if f.name == s {
			return Precision(p), nil
		}
		names = append(names, f.name)
	}
	return 0, fmt.Errorf("unknown precision %q: want one of %s", s, strings.Join(names, ", "))
}

func (p Precision) String() string {
	if int(p) < len(formats) {
		return formats[p].name
	}
	return fmt.Sprintf("Precision(%d)", uint8(p))
}

// BlockElements is the number of elements of a storage block: 1, or 32 or 256 for the quantised formats.
func (p Precision) BlockElements() int { return formats[p].elements }

// BlockBytes is the size of a storage block.
func (p Precision) BlockBytes() int { return formats[p].len }

// Bytes returns the size of n elements; n must be a multiple of BlockElements.
func (p Precision) Bytes(n int64) int64 {
	return n / int64(formats[p].elements) * int64(formats[p].len)
}

// MarshalText writes the precision's name.
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Precision) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePrecision(string(text))
	return err
}
