package kernel

import (
	"unsafe"

	"github.com/edgeshard/edgeshard/models"
)

// packBytes is how much of a matrix is best packed at a time: it stays in a cache
// from when it is read until it is packed.
const packBytes = 256 << 10

// PackRows returns how many rows are best packed at a time, a multiple of 16.
func (m *Matrix) PackRows() int { return max(1, packBytes/(lanes*m.RowBytes())) * lanes }

// A packFunc interleaves 16 rows of weights, stride bytes apart, into a panel.
type packFunc func(dst, src *byte, stride int, steps int)

// A packing is how a path's kernels want weights: panels of 16 rows, each a
// sequence of steps along the columns.
type packing struct {
	elements int // columns of a step
	bytes    int // of a panel's step
	x        int // bytes of an activation row's step
	pack     func(dst []byte, row []byte, lane, steps int)
}

// Rows are interleaved by 32-bit words, so that a vector of 16 words has one of
// each row: one f32, two bf16, four int8 or eight 4-bit integers. Missing rows
// are zero.
var packings = [precisions]packing{
	models.F32:  {1, 64, 4, packWords},
	models.F16:  {1, 32, 4, packF16},
	models.BF16: {2, 64, 4, packWords},
	models.Q8_0: {32, 544, recordBytes, packQ8},
	models.Q4_0: {32, 288, recordBytes, packQ4},
	models.Q4_K: {superElements, superPairs + 4*512, 8 * recordBytes, packQ4K},
	models.Q5_K: {superElements, superPairs + 5*512, 8 * recordBytes, packQ5K},
	models.Q6_K: {superElements, q6Quants + 2*1536, 8 * recordBytes, packQ6K},
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

// Where a panel's superblock has what: for Q4_K and Q5_K 16 f16 scales of scales,
// as many of minima, for each of 8 blocks 16 scales, then minima, one byte each;
// for Q6_K 16 f16 scales and for each of 16 blocks 16 scales. The integers follow,
// by words, in the order that they have in the row; but Q5_K has before the nibbles
// of a pair of blocks the fifth bits of each of the two, bit n of a word's bytes
// being those of the block's n-th word.
const (
	superMin    = 32
	superScales = 64
	superMins   = superScales + 8*lanes
	superPairs  = superMins + 8*lanes
	q6Scales    = 32
	q6Quants    = q6Scales + 16*lanes
)

func packQ4K(dst, row []byte, lane, steps int) {
	for ; steps > 0; dst, row, steps = dst[superPairs+4*512:], row[144:], steps-1 {
		packScales(dst, row, lane)
		packWords(dst[superPairs:], row[16:144], lane, 32)
	}
}

func packQ5K(dst, row []byte, lane, steps int) {
	for ; steps > 0; dst, row, steps = dst[superPairs+5*512:], row[176:], steps-1 {
		packScales(dst, row, lane)
		for pair := range 4 {
			at := dst[superPairs+pair*(128+512):]
			for i := range 2 {
				le.PutUint32(at[64*i+4*lane:], fifthBits(row[16:48], 2*pair+i))
			}
			packWords(at[128:], row[48+32*pair:][:32], lane, 8)
		}
	}
}

// fifthBits gathers bit number block of all bytes: that of byte i is bit i/4 of
// byte i%4 of the result.
func fifthBits(b []byte, block int) (bits uint32) {
	for i := range 8 {
		bits |= le.Uint32(b[4*i:]) >> block & 0x01010101 << i
	}
	return bits
}

// superPack makes a packFunc for superblocks of size bytes, which take bytes of a
// panel, of one that packs their integers.
func superPack(size, bytes int, scales func(dst, b []byte, lane int), integers packFunc) packFunc {
	return func(dst, src *byte, stride, steps int) {
		integers(dst, src, stride, steps)
		panel := unsafe.Slice(dst, steps*bytes)
		rows := unsafe.Slice(src, (lanes-1)*stride+steps*size)
		for i := range steps {
			for lane := range lanes {
				scales(panel[i*bytes:], rows[lane*stride+i*size:], lane)
			}
		}
	}
}

func packScales(dst, b []byte, lane int) {
	copy(dst[2*lane:][:2], b)
	copy(dst[superMin+2*lane:][:2], b[2:])
	for i := range 8 {
		dst[superScales+i*lanes+lane], dst[superMins+i*lanes+lane] = scaleAndMin(b[4:16], i)
	}
}

func packScales6(dst, b []byte, lane int) {
	copy(dst[2*lane:][:2], b[208:210])
	for i, s := range b[192:208] {
		dst[q6Scales+i*lanes+lane] = s
	}
}

func packQ6K(dst, row []byte, lane, steps int) {
	for ; steps > 0; dst, row, steps = dst[q6Quants+2*1536:], row[210:], steps-1 {
		packScales6(dst, row, lane)
		for half := range 2 {
			at := dst[q6Quants+half*1536:]
			packWords(at, row[64*half:][:64], lane, 16)
			packWords(at[1024:], row[128+32*half:][:32], lane, 8)
		}
	}
}
