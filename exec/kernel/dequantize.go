package kernel

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/edgeshard/edgeshard/models"
)

var le = binary.LittleEndian

// Dequantize writes the values of a row of len(dst) elements at precision p.
// len(dst) must be a multiple of p's block, and row hold that many elements.
func Dequantize(dst []float32, p models.Precision, row []byte) {
	switch p {
	case models.F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(row[4*i:]))
		}
	case models.F16:
		for i := range dst {
			dst[i] = F16ToF32(le.Uint16(row[2*i:]))
		}
	case models.BF16:
		for i := range dst {
			dst[i] = BF16ToF32(le.Uint16(row[2*i:]))
		}
	case models.Q8_0:
		blocks(dst, row, 32, 34, dequantizeQ8)
	case models.Q4_0:
		blocks(dst, row, 32, 18, dequantizeQ4)
	case models.Q4_K:
		blocks(dst, row, superElements, 144, dequantizeSuper(unpackQ4K))
	case models.Q5_K:
		blocks(dst, row, superElements, 176, dequantizeSuper(unpackQ5K))
	case models.Q6_K:
		blocks(dst, row, superElements, 210, dequantizeSuper(unpackQ6K))
	default:
		panic(fmt.Sprintf("kernel: no dequantisation of %s", p))
	}
}

func blocks(dst []float32, row []byte, elements, size int, f func(dst []float32, b []byte)) {
	for ; len(dst) > 0; dst, row = dst[elements:], row[size:] {
		f(dst[:elements], row[:size])
	}
}

func dequantizeQ8(dst []float32, b []byte) {
	d := F16ToF32(le.Uint16(b))
	for i, q := range b[2:34] {
		dst[i] = d * float32(int8(q))
	}
}

// dequantizeQ4: the low four bits of byte i are element i, the high ones element i+16.
func dequantizeQ4(dst []float32, b []byte) {
	d := F16ToF32(le.Uint16(b))
	for i, q := range b[2:18] {
		dst[i] = d * float32(int(q&15)-8)
		dst[i+16] = d * float32(int(q>>4)-8)
	}
}
