package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A packer interleaves 16 rows of weights, stride bytes apart, into a panel. It
// reads each row's bytes at once and turns the rows in registers: rows a power
// of two apart share cache sets, which do not hold them for a second look.
type packer struct {
	dst             reg.GPVirtual
	rows            [4]reg.GPVirtual // every fourth row
	stride, stride3 reg.GPVirtual
	sign            reg.VecPhysical // 0x80 in every byte
}

// packs512 writes a packer for each format.
func packs512() {
	pack512("zmmPackWords", 16*64, 64, func(p *packer) {
		p.words(0, 0)
	})
	pack512("zmmPackF16", 32*32, 64, func(p *packer) {
		p.squares(0, func(word int, v reg.VecPhysical) {
			VPMOVDW(v, Mem{Base: p.dst, Disp: 64 * word})
			VPSRLD(Imm(16), v, v)
			VPMOVDW(v, Mem{Base: p.dst, Disp: 64*word + 32})
		})
	})
	pack512("zmmPackQ8", 544, 34, func(p *packer) {
		p.scales()
		for i, v := range p.eights(2) {
			VPXORD(p.sign, v, v)
			VMOVDQU64(v, Mem{Base: p.dst, Disp: 32 + 64*i})
		}
	})
	pack512("zmmPackQ4", 288, 18, func(p *packer) {
		p.scales()
		for i, v := range p.fours(2) {
			VMOVDQU64(v, Mem{Base: p.dst, Disp: 32 + 64*i})
		}
	})
	packsSuper512()
}

// packsSuper512 writes packers of superblocks' integers; they leave out the scales.
func packsSuper512() {
	pack512("zmmPackQ4K", superPairs+4*pairNibbles, 144, func(p *packer) {
		p.words(16, superPairs)
		p.words(80, superPairs+1024)
	})
	pack512("zmmPackQ5K", superPairs+4*(pairBits+pairNibbles), 176, func(p *packer) {
		for i := range 8 {
			broadcastByte(1<<i, 20+i)
		}
		bits := p.eights(16)
		for block := range 8 {
			p.fifthBits(bits, block)
			VMOVDQU64(zs[16], Mem{Base: p.dst, Disp: superPairs + block/2*(pairBits+pairNibbles) + block%2*64})
		}
		for pair := range 4 {
			for i, v := range p.eights(48 + 32*pair) {
				VMOVDQU64(v, Mem{Base: p.dst, Disp: superPairs + pair*(pairBits+pairNibbles) + pairBits + 64*i})
			}
		}
	})
	pack512("zmmPackQ6K", q6Quants+2*q6Half, 210, func(p *packer) {
		for half := range 2 {
			p.words(64*half, q6Quants+half*q6Half)
			for i, v := range p.eights(128 + 32*half) {
				VMOVDQU64(v, Mem{Base: p.dst, Disp: q6Quants + half*q6Half + q6Upper + 64*i})
			}
		}
	})
}

// fifthBits gathers in zs[16] bit number block of all bytes: those of word i
// become bit i of the bytes. zs[20+i] has that bit in every byte.
func (p *packer) fifthBits(words []reg.VecPhysical, block int) {
	const orAnd = 0xf8 // a | b&c
	VPXORD(zs[16], zs[16], zs[16])
	for i, w := range words {
		switch {
		case block > i:
			VPSRLD(Imm(uint64(block-i)), w, zs[17])
			w = zs[17]
		case block < i:
			VPSLLD(Imm(uint64(i-block)), w, zs[17])
			w = zs[17]
		}
		VPTERNLOGD(Imm(orAnd), zs[20+i], w, zs[16])
	}
}

// pack512 writes a packer whose step takes x bytes of each row to w of the panel.
func pack512(name string, w, x int, step func(p *packer)) {
	text(name, "func(dst, src *byte, stride int, steps int)", "interleaves 16 rows of weights.")
	p := &packer{dst: load("dst"), stride: load("stride"), stride3: GP64(), sign: zs[31]}
	n := load("steps")
	p.rows[0] = load("src")
	LEAQ(Mem{Base: p.stride, Index: p.stride, Scale: 2}, p.stride3)
	for i := 1; i < 4; i++ {
		p.rows[i] = GP64()
		LEAQ(Mem{Base: p.rows[i-1], Index: p.stride, Scale: 4}, p.rows[i])
	}
	bits := GP32()
	MOVL(U32(0x80808080), bits)
	VPBROADCASTD(bits, p.sign)
	blocks(n, "step", func() {
		step(p)
		ADDQ(U32(uint32(w)), p.dst)
		for _, r := range p.rows {
			ADDQ(U32(uint32(x)), r)
		}
	})
	VZEROUPPER()
	RET()
}

// row returns the address of a row's bytes at disp.
func (p *packer) row(i, disp int) Mem {
	m := Mem{Base: p.rows[i/4], Disp: disp}
	switch i % 4 {
	case 1, 2:
		m.Index, m.Scale = p.stride, uint8(i%4)
	case 3:
		m.Index, m.Scale = p.stride3, 1
	}
	return m
}

// scales copies the half words that the rows begin with.
func (p *packer) scales() {
	for i := range 16 {
		half := GP32()
		MOVWLZX(p.row(i, 0), half)
		MOVW(half.As16(), Mem{Base: p.dst, Disp: 2 * i})
	}
}

// words turns 16 words of each row, from disp on, and stores them at to.
func (p *packer) words(disp, to int) {
	p.squares(disp, func(word int, v reg.VecPhysical) {
		VMOVDQU64(v, Mem{Base: p.dst, Disp: to + 64*word})
	})
}

// squares turns 16 words of each row, from disp on, and calls store for each of
// them, of all rows.
func (p *packer) squares(disp int, store func(word int, v reg.VecPhysical)) {
	for i := range 16 {
		VMOVDQU64(p.row(i, disp), zs[i])
	}
	for k := 0; k < 16; k += 4 {
		turn4(zs[k:k+4], zs[16:20])
	}
	for j := range 4 { // zs[4k+j] has in lane l the words 4l+j of rows 4k to 4k+3
		u := []reg.VecPhysical{zs[j], zs[4+j], zs[8+j], zs[12+j]}
		for i, lanes := range []uint64{0x88, 0xdd} { // the even lanes, the odd ones
			low, high := zs[16], zs[17]
			VSHUFI32X4(Imm(lanes), u[1], u[0], low)
			VSHUFI32X4(Imm(lanes), u[3], u[2], high)
			VSHUFI32X4(Imm(0x88), high, low, zs[18])
			store(4*i+j, zs[18])
			VSHUFI32X4(Imm(0xdd), high, low, zs[18])
			store(4*(i+2)+j, zs[18])
		}
	}
}

// turn4 turns the words of 4 vectors in each lane of 128 bits: v[j] gets the
// lanes' words j.
func turn4(v, temp []reg.VecPhysical) {
	VPUNPCKLDQ(v[1], v[0], temp[0])
	VPUNPCKHDQ(v[1], v[0], temp[1])
	VPUNPCKLDQ(v[3], v[2], temp[2])
	VPUNPCKHDQ(v[3], v[2], temp[3])
	VPUNPCKLQDQ(temp[2], temp[0], v[0])
	VPUNPCKHQDQ(temp[2], temp[0], v[1])
	VPUNPCKLQDQ(temp[3], temp[1], v[2])
	VPUNPCKHQDQ(temp[3], temp[1], v[3])
}

// eights turns 8 words of each row, from disp on.
func (p *packer) eights(disp int) []reg.VecPhysical {
	for i := range 8 { // rows 0 to 3 and 8 to 11 beside the fours after them
		row := i%4 + i/4*8
		VMOVDQU(p.row(row, disp), zs[i].AsY())
		VINSERTI64X4(Imm(1), p.row(row+4, disp), zs[i], zs[i])
	}
	turn4(zs[0:4], zs[16:20])
	turn4(zs[4:8], zs[16:20])
	for j := range 4 {
		VSHUFI32X4(Imm(0x88), zs[4+j], zs[j], zs[8+j])
		VSHUFI32X4(Imm(0xdd), zs[4+j], zs[j], zs[12+j])
	}
	return zs[8:16]
}

// fours turns 4 words of each row, from disp on.
func (p *packer) fours(disp int) []reg.VecPhysical {
	for i := range 4 {
		VMOVDQU(p.row(i, disp), zs[i].AsX())
		for lane := 1; lane < 4; lane++ {
			VINSERTI32X4(Imm(uint64(lane)), p.row(4*lane+i, disp), zs[i], zs[i])
		}
	}
	turn4(zs[0:4], zs[16:20])
	return zs[0:4]
}
