package kernel

import "github.com/edgeshard/edgeshard/models"

// A packFunc interleaves 16 rows of weights, stride bytes apart, into a panel.
type packFunc func(dst, src *byte, stride int, steps int)

// A packing is how a path's kernels want weights: panels of 16 rows, each a
// sequence of steps along the columns.
type packing struct {
	elements int // columns of a step
	bytes    int // of a panel's step
	pack     func(dst []byte, row []byte, lane, steps int)
}

// Rows are interleaved by 32-bit words, so that a vector of 16 words has one of
// each row: one f32, two bf16, four int8 or eight 4-bit integers. Missing rows
// are zero.
var packings = [precisions]packing{
	models.F32:  {1, 64, packWords},
	models.F16:  {1, 32, packF16},
	models.BF16: {2, 64, packWords},
	models.Q8_0: {32, 544, packQ8},
	models.Q4_0: {32, 288, packQ4},
}

func (p packing) steps(cols int) int { return (cols + p.elements - 1) / p.elements }

// packWords interleaves words of 4 bytes; a last half word is padded with zeros.
func packWords(dst, row []byte, lane, steps int) {
	for i := range steps {
		if len(row) < 4 {
			copy(dst[64*i+4*lane:], row)
			return
		}
		le.PutUint32(dst[64*i+4*lane:], le.Uint32(row))
		row = row[4:]
	}
}

func packF16(dst, row []byte, lane, steps int) {
	for i := range steps {
		le.PutUint16(dst[32*i+2*lane:], le.Uint16(row[2*i:]))
	}
}

// packQ8 makes the integers unsigned by adding 128.
func packQ8(dst, row []byte, lane, steps int) {
	for ; steps > 0; dst, row, steps = dst[544:], row[34:], steps-1 {
		copy(dst[2*lane:][:2], row)
		for g := range 8 {
			le.PutUint32(dst[32+64*g+4*lane:], le.Uint32(row[2+4*g:])^0x80808080)
		}
	}
}

func packQ4(dst, row []byte, lane, steps int) {
	for ; steps > 0; dst, row, steps = dst[288:], row[18:], steps-1 {
		copy(dst[2*lane:][:2], row)
		for g := range 4 {
			le.PutUint32(dst[32+64*g+4*lane:], le.Uint32(row[2+4*g:]))
		}
	}
}
