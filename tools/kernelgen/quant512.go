package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in a record of 32 quantised activations; they mirror package kernel's.
const (
	recordBytes = 64
	recordScale = 32 // f32: the scale
	recordSum   = 36 // f32: the scale times the sum of the integers
	recordBias  = 40 // int32 each: what unsigned weights add too much, by format
)

const (
	biasQ8 = recordBias + 4*iota // -128 × the sum of 32
	biasQ4                       // -8 × the sum of 32
	biasQ6                       // -32 × the sums of the first and the last 16
)

// Registers of the quantised tiles above the accumulators, beside those of regW.
const (
	regX       = 26
	regScratch = 27
	regSpare   = 28 // the first of three that the tiles of blocks have no other use for
	regNibble  = 31 // 0x0f in every byte
)

// regW is the register of a panel's weights, then of its scales. Four panels
// leave room for two rows of activations.
func (t *tile) regW(panel int) int {
	if t.panels > 2 {
		return 16 + panel
	}
	return 24 + panel
}

// A quant describes panels of quantised blocks of 32 columns: how the 4 columns
// of group g (0 to 7) of 16 rows are unpacked to unsigned bytes, and where the
// 16 f16 scales lie. Blocks begin with header bytes of scales.
type quant struct {
	header, size int
	bias         int
	nibbles      bool
	unpack       func(t *tile, panel, group, to int)
}

var blockQ8 = quant{header: 32, size: 544, bias: biasQ8, unpack: func(t *tile, panel, group, to int) {
	VMOVDQU64(t.weights(panel, 32+64*group), zs[to])
}}

var blockQ4 = quant{header: 32, size: 288, bias: biasQ4, nibbles: true, unpack: func(t *tile, panel, group, to int) {
	unpackNibbles(t, panel, 32, group, to)
}}

// unpackNibbles: the low four bits of bytes 4g to 4g+3 of a row are group g, the
// high ones group g+4.
func unpackNibbles(t *tile, panel, base, group, to int) {
	if group < 4 {
		VPANDD(t.weights(panel, base+64*group), zs[regNibble], zs[to])
		return
	}
	VMOVDQU64(t.weights(panel, base+64*(group-4)), zs[to])
	VPSRLW(Imm(4), zs[to], zs[to])
	VPANDD(zs[to], zs[regNibble], zs[to])
}

// registers512 gives out the registers below regW: the integer sums follow the
// accumulators. Of more than those hold the last accumulators stay in out, after
// what there is above.
func (t *tile) registers512() (acc func(p, c int) int, ints func(p, c int) reg.VecPhysical) {
	sums := t.panels * t.cols
	free := min(sums, t.regW(0)-sums)
	acc = func(p, c int) int {
		switch i := p*t.cols + c; {
		case i < free:
			return i
		case i-free < regNibble-regSpare:
			return regSpare + i - free
		}
		return inResult
	}
	return acc, func(p, c int) reg.VecPhysical { return zs[free+p*t.cols+c] }
}

// quant512 writes a tile that sums 32 products as integers, then adds
// scale·scale·sum to the f32 accumulators.
func quant512(name string, panels, cols int, q quant) {
	t := newTile(name, panels, cols)
	acc, ints := t.registers512()
	t.begin512(acc)
	if q.nibbles {
		broadcastByte(0x0f, regNibble)
	}
	t.loop(1, func(int) {
		t.prefetch(q.size, 8)
		t.startInts(ints, q.bias)
		t.dotGroups(ints, 0, 8, q.unpack)
		for p := range panels {
			VCVTPH2PS(t.weights(p, 0), zs[t.regW(p)])
		}
		t.scaleInts(acc, ints)
		t.advance(q.size, recordBytes)
	})
	t.end512(acc)
}

func broadcastByte(b byte, to int) {
	r := GP32()
	MOVL(U32(0x01010101*uint32(b)), r)
	VPBROADCASTD(r, zs[to])
}

// startInts sets the integer sums to the columns' bias.
func (t *tile) startInts(ints func(p, c int) reg.VecPhysical, bias int) {
	for c := range t.cols {
		VPBROADCASTD(t.column(c, bias), ints(0, c))
		for p := 1; p < t.panels; p++ {
			VMOVDQA64(ints(0, c), ints(p, c))
		}
	}
}

// dotGroups adds the products of groups [lo, hi) of a block.
func (t *tile) dotGroups(ints func(p, c int) reg.VecPhysical, lo, hi int, unpack func(t *tile, panel, group, to int)) {
	for g := lo; g < hi; g++ {
		t.prefetchPiece()
		for p := range t.panels {
			unpack(t, p, g, t.regW(p))
		}
		for c := range t.cols {
			VPBROADCASTD(t.column(c, 4*g), zs[regX])
			for p := range t.panels {
				VPDPBUSD(zs[regX], zs[t.regW(p)], ints(p, c))
			}
		}
	}
}

// scaleInts adds the integer sums to the accumulators, times the panels' scales
// in regW and the columns'.
func (t *tile) scaleInts(acc func(p, c int) int, ints func(p, c int) reg.VecPhysical) {
	for c := range t.cols {
		VBROADCASTSS(t.column(c, recordScale), zs[regX])
		for p := range t.panels {
			VMULPS(zs[regX], zs[t.regW(p)], zs[regScratch])
			VCVTDQ2PS(ints(p, c), ints(p, c))
			if acc(p, c) == inResult {
				VFMADD213PS(t.result(c, 64*p), zs[regScratch], ints(p, c))
				VMOVUPS(ints(p, c), t.result(c, 64*p))
				continue
			}
			VFMADD231PS(ints(p, c), zs[regScratch], zs[acc(p, c)])
		}
	}
}
