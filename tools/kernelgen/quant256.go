package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A quantTile256 is a tile of one panel whose halves of 8 rows are done one or
// two at a time, as registers allow. Registers 0 to 3 hold the f32 sums, 4 to 7
// sums of 16-bit pairs, 8 to 11 the integer sums.
type quantTile256 struct {
	*tile
	halves, first int           // how many, and which comes first
	header        reg.GPVirtual // start of the superblock
	scales        reg.GPVirtual
}

const (
	y16   = 4
	y32   = 8
	yW    = 12
	yX    = 13
	yBits = 14
)

func (q *quantTile256) acc(half, c int) int { return half*q.cols + c }

// A format256 emits the products of one step of panels.
type format256 func(q *quantTile256)

func quant256(name string, cols int, format format256) {
	t := newTile(name, 1, cols)
	q := &quantTile256{tile: t, halves: 1}
	if cols <= 2 {
		q.halves = 2
	}
	for ; q.first < 2; q.first += q.halves {
		t.prefix = []string{"low", "high"}[q.first]
		if q.first > 0 {
			t.enter()
		}
		t.begin256(q.halves, q.first, q.acc)
		t.loop(1, func(int) { format(q) })
		t.end256(q.halves, q.first, q.acc)
	}
	VZEROUPPER()
	RET()
}

// bytes256 returns the address of a vector with the byte in all places.
func bytes256(b uint64) Mem { return constant256("bytes", b*0x0101010101010101) }

// ones256 returns the address of a vector of 16-bit ones.
func ones256() Mem { return constant256("words", 0x0001000100010001) }

var constants = map[uint64]Mem{}

func constant256(kind string, v uint64) Mem {
	m, ok := constants[v]
	if !ok {
		m = GLOBL("ymm"+kind+string(rune('a'+len(constants))), attr.RODATA|attr.NOPTR)
		for i := range 4 {
			DATA(8*i, U64(v))
		}
		constants[v] = m
	}
	return m
}

// start sets the integer sums to the columns' bias, or to zero if it is 0.
func (q *quantTile256) start(bias int) {
	for half := range q.halves {
		for c := range q.cols {
			s := ys[y32+q.acc(half, c)]
			if bias == 0 {
				VPXOR(s, s, s)
			} else {
				VPBROADCASTD(q.column(c, bias), s)
			}
		}
	}
}

// dot adds the products of groups [lo, hi) of a block. unpack makes unsigned
// bytes; the sums of fold groups fit 16 bits.
func (q *quantTile256) dot(lo, hi, fold int, unpack func(half, group int)) {
	for g := lo; g < hi; g++ {
		for half := range q.halves {
			unpack(q.first+half, g)
			for c := range q.cols {
				sum := ys[y16+q.acc(half, c)]
				VPBROADCASTD(q.column(c, 4*g), ys[yX])
				if (g-lo)%fold == 0 {
					VPMADDUBSW(ys[yX], ys[yW], sum)
					continue
				}
				VPMADDUBSW(ys[yX], ys[yW], ys[yX])
				VPADDW(ys[yX], sum, sum)
			}
		}
		if (g-lo)%fold == fold-1 {
			q.widen()
		}
	}
}

// widen adds the 16-bit sums to the integer sums.
func (q *quantTile256) widen() {
	for i := range q.halves * q.cols {
		VPMADDWD(ones256(), ys[y16+i], ys[y16+i])
		VPADDD(ys[y16+i], ys[y32+i], ys[y32+i])
	}
}

// scale adds the integer sums to the f32 sums, times the columns' scales and
// those that weights puts into yW.
func (q *quantTile256) scale(weights func(half int)) {
	for half := range q.halves {
		weights(q.first + half)
		for c := range q.cols {
			sum := ys[y32+q.acc(half, c)]
			VBROADCASTSS(q.column(c, recordScale), ys[yX])
			VMULPS(ys[yX], ys[yW], ys[yX])
			VCVTDQ2PS(sum, sum)
			VFMADD231PS(sum, ys[yX], ys[q.acc(half, c)])
		}
	}
}

// blockQ8of256 moves the weights' sign to the activations, because the product
// of two signed bytes is not to be had.
func blockQ8of256(q *quantTile256) {
	q.start(0)
	for g := range 8 {
		for half := range q.halves {
			VMOVDQU(q.weights(0, 32+64*g+32*(q.first+half)), ys[yW])
			VPXOR(bytes256(0x80), ys[yW], ys[yW])
			VPABSB(ys[yW], ys[yBits])
			for c := range q.cols {
				sum := ys[y32+q.acc(half, c)]
				VPBROADCASTD(q.column(c, 4*g), ys[yX])
				VPSIGNB(ys[yW], ys[yX], ys[yX])
				VPMADDUBSW(ys[yX], ys[yBits], ys[yX])
				VPMADDWD(ones256(), ys[yX], ys[yX])
				VPADDD(ys[yX], sum, sum)
			}
		}
	}
	q.scale(func(half int) { VCVTPH2PS(q.weights(0, 16*half), ys[yW]) })
	q.advance(blockQ8.size, recordBytes)
}

func blockQ4of256(q *quantTile256) {
	q.start(biasQ4)
	q.dot(0, 8, 8, func(half, g int) { q.nibbles(32+64*(g%4)+32*half, g >= 4) })
	q.scale(func(half int) { VCVTPH2PS(q.weights(0, 16*half), ys[yW]) })
	q.advance(blockQ4.size, recordBytes)
}

// nibbles unpacks the low or the high four bits of the bytes at disp.
func (q *quantTile256) nibbles(disp int, high bool) {
	VMOVDQU(q.weights(0, disp), ys[yW])
	if high {
		VPSRLW(Imm(4), ys[yW], ys[yW])
	}
	VPAND(bytes256(0x0f), ys[yW], ys[yW])
}

// superOf256 is Q4_K, or with fifth bits Q5_K; see superblock512.go.
func superOf256(fifth bool) format256 {
	return func(q *quantTile256) {
		nibbles, fold := 0, 8
		if fifth {
			nibbles, fold = pairBits, 4
		}
		q.enter(superPairs)
		q.repeat("pair", 4, func() {
			for high := range 2 {
				q.start(0)
				q.dot(0, 8, fold, func(half, g int) {
					q.nibbles(nibbles+64*g+32*half, high == 1)
					if fifth {
						q.fifthBits(64*high+32*half, g)
					}
				})
				q.scale(func(half int) { q.byteScale(half, 0, superScales+16*high) })
				q.subtract(func(half int) { q.byteScale(half, superMin, superMins+16*high) })
				q.x.skip(recordBytes)
			}
			q.w.skip(nibbles + pairNibbles)
			ADDQ(Imm(32), q.scales)
		})
	}
}

// fifthBits adds a group's fifth bits: those of bit number group at disp.
func (q *quantTile256) fifthBits(disp, group int) {
	VMOVDQU(q.weights(0, disp), ys[yBits])
	if group < 4 {
		VPSLLD(Imm(uint64(4-group)), ys[yBits], ys[yBits])
	} else if group > 4 {
		VPSRLD(Imm(uint64(group-4)), ys[yBits], ys[yBits])
	}
	VPAND(bytes256(0x10), ys[yBits], ys[yBits])
	VPOR(ys[yBits], ys[yW], ys[yW])
}

// enter begins a superblock whose integers lie quants bytes after its start.
func (q *quantTile256) enter(quants int) {
	q.header, q.scales = copyOf(q.w.bases[0]), copyOf(q.w.bases[0])
	q.w.skip(quants)
}

// byteScale sets yW to a scale of the header times bytes at disp from scales.
func (q *quantTile256) byteScale(half, scale, disp int) {
	VPMOVZXBD(Mem{Base: q.scales, Disp: disp + 8*half}, ys[yBits])
	VCVTDQ2PS(ys[yBits], ys[yBits])
	VCVTPH2PS(Mem{Base: q.header, Disp: scale + 16*half}, ys[yW])
	VMULPS(ys[yBits], ys[yW], ys[yW])
}

// subtract subtracts minima, which weights puts into yW, times the columns' sums.
func (q *quantTile256) subtract(weights func(half int)) {
	for half := range q.halves {
		weights(q.first + half)
		for c := range q.cols {
			VBROADCASTSS(q.column(c, recordSum), ys[yX])
			VFNMADD231PS(ys[yW], ys[yX], ys[q.acc(half, c)])
		}
	}
}

func blockQ6of256(q *quantTile256) {
	q.enter(q6Quants)
	q.repeat("half", 2, func() {
		for block := range 4 {
			for part := range 2 {
				q.start(biasQ6 + 4*part)
				q.dot(4*part, 4*part+4, 2, func(half, g int) { q.sixBits(half, g, block) })
				q.scale(func(half int) {
					VPMOVSXBD(Mem{Base: q.scales, Disp: q6Scales + 16*(2*block+part) + 8*half}, ys[yBits])
					VCVTDQ2PS(ys[yBits], ys[yBits])
					VCVTPH2PS(Mem{Base: q.header, Disp: 16 * half}, ys[yW])
					VMULPS(ys[yBits], ys[yW], ys[yW])
				})
			}
			q.x.skip(recordBytes)
		}
		q.w.skip(q6Half)
		ADDQ(U32(8*16), q.scales)
	})
}

func (q *quantTile256) sixBits(half, g, block int) {
	q.nibbles(512*(block%2)+64*g+32*half, block >= 2)
	VMOVDQU(q.weights(0, q6Upper+64*g+32*half), ys[yBits])
	switch block {
	case 0:
		VPSLLD(Imm(4), ys[yBits], ys[yBits])
	case 1:
		VPSLLD(Imm(2), ys[yBits], ys[yBits])
	case 3:
		VPSRLD(Imm(2), ys[yBits], ys[yBits])
	}
	VPAND(bytes256(0x30), ys[yBits], ys[yBits])
	VPOR(ys[yBits], ys[yW], ys[yW])
}
