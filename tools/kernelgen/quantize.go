package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func quantize512() {
	text("zmmQuantize", "func(dst *byte, x *float32, blocks int)", "writes records of 32 quantised activations.")
	dst, x, n := load("dst"), load("x"), load("blocks")
	magnitude, ones := word512(0x7fffffff), YMM()
	r := GP32()
	MOVL(U32(0x01010101), r)
	VPBROADCASTD(r, ones)
	limit := XMM()
	MOVL(U32(f32(127)), r)
	VMOVD(r, limit)
	blocks(n, "block", func() {
		a, b := ZMM(), ZMM()
		VMOVUPS(Mem{Base: x}, a)
		VMOVUPS(Mem{Base: x, Disp: 64}, b)
		scale, inverse := blockScale(peak512(a, b, magnitude), limit, ZMM)
		ints := integers512(a, b, inverse)
		VMOVDQU(ints, Mem{Base: dst})
		VMOVSS(scale, Mem{Base: dst, Disp: recordScale})
		sums := YMM()
		VPXOR(sums, sums, sums)
		VPDPBUSD(ints, ones, sums)
		recordSums(dst, sums, scale)
		JMP(LabelRef("next"))
		Label("zero")
		zero := ZMM()
		VPXORD(zero, zero, zero)
		VMOVDQU64(zero, Mem{Base: dst})
		Label("next")
		ADDQ(U32(recordBytes), dst)
		ADDQ(U32(128), x)
	})
	VZEROUPPER()
	RET()
}

// peak512 returns the largest magnitude of a and b; NaN counts as the largest.
func peak512(a, b, magnitude reg.VecVirtual) reg.VecVirtual {
	u, v := ZMM(), ZMM()
	VPANDD(a, magnitude, u)
	VPANDD(b, magnitude, v)
	VPMAXUD(v, u, u)
	VEXTRACTI64X4(Imm(1), u, v.AsY())
	VPMAXUD(v.AsY(), u.AsY(), u.AsY())
	VEXTRACTI128(Imm(1), u.AsY(), v.AsX())
	VPMAXUD(v.AsX(), u.AsX(), u.AsX())
	for _, order := range []uint64{0x4e, 0xb1} {
		VPSHUFD(Imm(order), u.AsX(), v.AsX())
		VPMAXUD(v.AsX(), u.AsX(), u.AsX())
	}
	return u.AsX().(reg.VecVirtual)
}

// integers512 rounds 32 values times inverse to bytes.
func integers512(a, b, inverse reg.VecVirtual) reg.VecVirtual {
	q := [2]reg.VecVirtual{YMM(), YMM()}
	for i, v := range []reg.VecVirtual{a, b} {
		VMULPS(inverse, v, v)
		VCVTPS2DQ(v, v)
		VPMOVSDB(v, q[i].AsX())
	}
	VINSERTI128(Imm(1), q[1].AsX(), q[0], q[0])
	return q[0]
}

func quantize256() {
	text("ymmQuantize", "func(dst *byte, x *float32, blocks int)", "writes records of 32 quantised activations.")
	dst, x, n := load("dst"), load("x"), load("blocks")
	limit, r := XMM(), GP32()
	MOVL(U32(f32(127)), r)
	VMOVD(r, limit)
	blocks(n, "block", func() {
		scale, inverse := blockScale(peak256(x), limit, YMM)
		ints := integers256(x, inverse)
		VMOVDQU(ints, Mem{Base: dst})
		VMOVSS(scale, Mem{Base: dst, Disp: recordScale})
		sums, ones := YMM(), YMM()
		VMOVDQU(bytes256(1), ones)
		VPMADDUBSW(ints, ones, sums)
		VPMADDWD(ones256(), sums, sums)
		recordSums(dst, sums, scale)
		JMP(LabelRef("next"))
		Label("zero")
		zero := YMM()
		VPXOR(zero, zero, zero)
		VMOVDQU(zero, Mem{Base: dst})
		VMOVDQU(zero, Mem{Base: dst, Disp: 32})
		Label("next")
		ADDQ(U32(recordBytes), dst)
		ADDQ(U32(128), x)
	})
	VZEROUPPER()
	RET()
}

// peak256 returns the largest magnitude of 32 values; NaN counts as the largest.
func peak256(x reg.GPVirtual) reg.Register {
	u, v := YMM(), YMM()
	VPXOR(u, u, u)
	for i := range 4 {
		VMOVDQU(Mem{Base: x, Disp: 32 * i}, v)
		VPAND(word256(0x7fffffff), v, v)
		VPMAXUD(v, u, u)
	}
	VEXTRACTI128(Imm(1), u, v.AsX())
	VPMAXUD(v.AsX(), u.AsX(), u.AsX())
	for _, order := range []uint64{0x4e, 0xb1} {
		VPSHUFD(Imm(order), u.AsX(), v.AsX())
		VPMAXUD(v.AsX(), u.AsX(), u.AsX())
	}
	return u.AsX()
}

// integers256 rounds 32 values times inverse to bytes.
func integers256(x reg.GPVirtual, inverse reg.VecVirtual) reg.VecVirtual {
	var v [4]reg.VecVirtual
	for i := range v {
		v[i] = YMM()
		VMULPS(Mem{Base: x, Disp: 32 * i}, inverse, v[i])
		VCVTPS2DQ(v[i], v[i])
	}
	VPACKSSDW(v[1], v[0], v[0])
	VPACKSSDW(v[3], v[2], v[2])
	VPACKSSWB(v[2], v[0], v[0])
	order := YMM()
	VMOVDQU(packOrder(), order)
	VPERMD(v[0], order, v[0])
	return v[0]
}

// packOrder undoes what packing within 128-bit lanes does to the order of words.
func packOrder() Mem {
	m := GLOBL("ymmorder", attr.RODATA|attr.NOPTR)
	for i, w := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
		DATA(4*i, U32(w))
	}
	return m
}

// blockScale returns the scale of a block of activations, its peak over limit, and
// the inverse in all of a vector; it goes to the label zero if the peak is next to
// nothing.
func blockScale(peak, limit reg.Register, vector func() reg.VecVirtual) (scale, inverse reg.VecVirtual) {
	bits := GP32()
	VMOVD(peak, bits)
	CMPL(bits, U32(f32(1e-30)))
	JB(LabelRef("zero"))
	scale, inverse = XMM(), vector()
	VDIVSS(limit, peak, scale)
	VDIVSS(peak, limit, inverse.AsX())
	VBROADCASTSS(inverse.AsX(), inverse)
	return scale, inverse
}

// recordSums writes what a record holds of its integers' sums, given those of
// 4 integers in each word.
func recordSums(dst reg.GPVirtual, sums, scale reg.VecVirtual) {
	high, sum := XMM(), XMM()
	VPHADDD(sums, sums, sums)
	VPHADDD(sums, sums, sums)
	VEXTRACTI128(Imm(1), sums, high)
	s := [2]reg.GPVirtual{GP32(), GP32()}
	VMOVD(sums.AsX(), s[0])
	VMOVD(high, s[1])
	all := GP32()
	MOVL(s[0], all)
	ADDL(s[1], all)
	VPXOR(sum, sum, sum)
	VCVTSI2SSL(all, sum, sum)
	VMULSS(scale, sum, sum)
	VMOVSS(sum, Mem{Base: dst, Disp: recordSum})
	store := func(v reg.GPVirtual, shift uint64, disp int) {
		SHLL(Imm(shift), v)
		MOVL(v, Mem{Base: dst, Disp: disp})
	}
	NEGL(all)
	store(all, 3, biasQ4)
	store(all, 4, biasQ8)
	for i, v := range s {
		NEGL(v)
		store(v, 5, biasQ6+4*i)
	}
}
