package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A packer interleaves 16 rows of weights, stride bytes apart, into a panel.
type packer struct {
	dst, src reg.GPVirtual
	rows     reg.VecVirtual // 32-bit offsets of the rows
}

// packs512 writes a packer for each format: w and x are the bytes of a step in
// the panel and in a row.
func packs512() {
	pack512("zmmPackWords", 64, 4, func(p *packer) {
		p.words(0, 0)
	})
	pack512("zmmPackF16", 64, 4, func(p *packer) {
		p.halves(0, 0, 32)
	})
	pack512("zmmPackQ8", 544, 34, func(p *packer) {
		sign := word512(0x80808080)
		p.halves(0, 0, -1)
		for g := range 8 {
			v := p.gather(2 + 4*g)
			VPXORD(sign, v, v)
			VMOVDQU64(v, Mem{Base: p.dst, Disp: 32 + 64*g})
		}
	})
	pack512("zmmPackQ4", 288, 18, func(p *packer) {
		p.halves(0, 0, -1)
		for g := range 4 {
			p.words(2+4*g, 32+64*g)
		}
	})
}

func pack512(name string, w, x int, step func(p *packer)) {
	text(name, "func(dst, src *byte, stride int, steps int)", "interleaves 16 rows of weights.")
	p := &packer{dst: load("dst"), src: load("src"), rows: ZMM()}
	stride, n, at := load("stride"), load("steps"), GP64()
	index := AllocLocal(64)
	XORQ(at, at)
	for i := range 16 {
		MOVL(at.As32(), index.Offset(4*i))
		ADDQ(stride, at)
	}
	VMOVDQU32(index, p.rows)
	blocks(n, 1, "step", func() {
		step(p)
		ADDQ(U32(uint32(w)), p.dst)
		ADDQ(U32(uint32(x)), p.src)
	})
	VZEROUPPER()
	RET()
}

// gather loads the word at offset disp of every row.
func (p *packer) gather(disp int) reg.VecVirtual {
	v := ZMM()
	KXNORW(reg.K1, reg.K1, reg.K1)
	VPGATHERDD(Mem{Base: p.src, Index: p.rows, Scale: 1, Disp: disp}, reg.K1, v)
	return v
}

func (p *packer) words(from, to int) {
	VMOVDQU64(p.gather(from), Mem{Base: p.dst, Disp: to})
}

// halves stores the rows' half words at from, and those after them at next,
// unless that is negative.
func (p *packer) halves(from, to, next int) {
	v := p.gather(from)
	VPMOVDW(v, Mem{Base: p.dst, Disp: to})
	if next >= 0 {
		VPSRLD(Imm(16), v, v)
		VPMOVDW(v, Mem{Base: p.dst, Disp: next})
	}
}
