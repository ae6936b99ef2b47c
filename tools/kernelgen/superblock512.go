package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Panels of the formats with superblocks of 256 columns. Q4_K and Q5_K: f16
// scales and minimum scales, a byte each of scale and minimum for 8 blocks of 32,
// then pairs of blocks: in Q5_K the fifth bits of the one and of the other, bit g
// of a byte being group g's, and the low and high nibbles. Q6_K: f16 scales, a byte
// of scale for 16 blocks of 16, then halves of 128 columns: low nibbles, high
// nibbles and the upper two bits.
const (
	superMin    = 32
	superScales = 64
	superMins   = superScales + 8*16
	superPairs  = superMins + 8*16
	pairBits    = 2 * 64 // of Q5_K
	pairNibbles = 512

	q6Scales = 32
	q6Quants = q6Scales + 16*16
	q6Upper  = 1024 // in a half
	q6Half   = 1536
)

// A register of the superblock tiles, beside those of quant512: 0x10, or 0x30, in
// every byte.
const regUpper = 30

// super512 writes the tile of Q4_K, or of Q5_K if it has fifth bits.
func super512(name string, panels, cols int, fifth bool) {
	t := newTile(name, panels, cols)
	acc, ints := t.registers512()
	t.begin512(acc)
	broadcastByte(0x0f, regNibble)
	nibbles := 0
	if fifth {
		nibbles = pairBits
		broadcastByte(0x10, regUpper)
	}
	t.loop(1, func(int) {
		header, scales := t.mark(), t.mark()
		t.w.skip(superPairs)
		t.repeat("pair", 4, func() {
			t.prefetch(nibbles+pairNibbles+superPairs/4, 2*8)
			for half := range 2 {
				t.startZero(ints)
				if fifth {
					t.loadFifth(half)
				}
				t.dotGroups(ints, 0, 8, func(t *tile, panel, group, to int) {
					t.unpackSuper(panel, nibbles+64*group, half, to)
					if fifth {
						t.addFifth(panel, group, to)
					}
				})
				t.superScale(header, scales, 0, superScales+16*half)
				t.scaleInts(acc, ints)
				t.superScale(header, scales, superMin, superMins+16*half)
				t.subtractMins(acc)
				t.x.skip(recordBytes)
			}
			t.w.skip(nibbles + pairNibbles)
			scales.w.skip(32)
		})
	})
	t.end512(acc)
}

func (t *tile) startZero(ints func(p, c int) reg.VecPhysical) {
	for p := range t.panels {
		for c := range t.cols {
			VPXORD(ints(p, c), ints(p, c), ints(p, c))
		}
	}
}

// unpackSuper unpacks a group of the pair's low (half 0) or high block.
func (t *tile) unpackSuper(panel, disp, half, to int) {
	if half == 0 {
		VPANDD(t.weights(panel, disp), zs[regNibble], zs[to])
		return
	}
	VPSRLW(Imm(4), t.weights(panel, disp), zs[to])
	VPANDD(zs[to], zs[regNibble], zs[to])
}

// regFifth is the register of a panel's fifth bits.
func (t *tile) regFifth(panel int) int {
	if t.panels > 2 {
		return 20 + panel
	}
	return 28 + panel
}

func (t *tile) loadFifth(half int) {
	for p := range t.panels {
		VMOVDQU64(t.weights(p, 64*half), zs[t.regFifth(p)])
	}
}

// addFifth adds a group's fifth bits: it moves bit number group to bit 4.
func (t *tile) addFifth(panel, group, to int) {
	const orAnd = 0xf8 // a | b&c
	bits := zs[t.regFifth(panel)]
	switch {
	case group < 4:
		VPSLLD(Imm(uint64(4-group)), bits, zs[regScratch])
		bits = zs[regScratch]
	case group > 4:
		VPSRLD(Imm(uint64(group-4)), bits, zs[regScratch])
		bits = zs[regScratch]
	}
	VPTERNLOGD(Imm(orAnd), zs[regUpper], bits, zs[to])
}

// superScale sets regW to a scale of the header times a byte at disp from scales.
func (t *tile) superScale(header, scales *tile, scale, disp int) {
	for p := range t.panels {
		VPMOVZXBD(scales.weights(p, disp), zs[regScratch])
		VCVTDQ2PS(zs[regScratch], zs[regScratch])
		VCVTPH2PS(header.weights(p, scale), zs[t.regW(p)])
		VMULPS(zs[regScratch], zs[t.regW(p)], zs[t.regW(p)])
	}
}

// subtractMins subtracts the minima in regW times the scaled sums of activations.
func (t *tile) subtractMins(acc func(p, c int) int) {
	for c := range t.cols {
		VBROADCASTSS(t.column(c, recordSum), zs[regX])
		for p := range t.panels {
			VFNMADD231PS(zs[t.regW(p)], zs[regX], zs[acc(p, c)])
		}
	}
}

// super6x512 writes the tile of Q6_K.
func super6x512(name string, panels, cols int) {
	t := newTile(name, panels, cols)
	acc, ints := t.registers512()
	t.begin512(acc)
	broadcastByte(0x0f, regNibble)
	broadcastByte(0x30, regUpper)
	t.loop(1, func(int) {
		header, scales := t.mark(), t.mark()
		t.w.skip(q6Quants)
		t.repeat("half", 2, func() {
			t.prefetch(q6Half+q6Quants/2, 4*8)
			for block := range 4 {
				for part := range 2 {
					t.startInts(ints, biasQ6+4*part)
					t.dotGroups(ints, 4*part, 4*part+4, func(t *tile, panel, group, to int) {
						t.unpackQ6(panel, block, group, to)
					})
					t.scaleQ6(header, scales, q6Scales+16*(2*block+part))
					t.scaleInts(acc, ints)
				}
				t.x.skip(recordBytes)
			}
			t.w.skip(q6Half)
			scales.w.skip(8 * 16)
		})
	})
	t.end512(acc)
}

// unpackQ6 unpacks a group of a half's block: blocks 0 and 1 are in the low
// nibbles, 2 and 3 in the high ones; block b's upper bits are bits 2b and 2b+1.
func (t *tile) unpackQ6(panel, block, group, to int) {
	low := t.weights(panel, 512*(block%2)+64*group)
	VMOVDQU64(low, zs[to])
	if block >= 2 {
		VPSRLW(Imm(4), zs[to], zs[to])
	}
	VPANDD(zs[regNibble], zs[to], zs[to])
	bits := zs[regScratch]
	VMOVDQU64(t.weights(panel, q6Upper+64*group), bits)
	switch block {
	case 0:
		VPSLLD(Imm(4), bits, bits)
	case 1:
		VPSLLD(Imm(2), bits, bits)
	case 3:
		VPSRLD(Imm(2), bits, bits)
	}
	VPANDD(zs[regUpper], bits, bits)
	VPORD(bits, zs[to], zs[to])
}

func (t *tile) scaleQ6(header, scales *tile, disp int) {
	for p := range t.panels {
		VPMOVSXBD(scales.weights(p, disp), zs[regScratch])
		VCVTDQ2PS(zs[regScratch], zs[regScratch])
		VCVTPH2PS(header.weights(p, 0), zs[t.regW(p)])
		VMULPS(zs[regScratch], zs[t.regW(p)], zs[t.regW(p)])
	}
}
