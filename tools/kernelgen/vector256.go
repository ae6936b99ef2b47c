package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors256 writes the operations on single vectors. They add up in the same
// order as those of vectors512: lanes 0 to 7 and 8 to 15 in registers of their own.
func vectors256() {
	quantize256()
	round256()
	norm256()
	add256()
	activate256()
	softmax256()
}

// word256 returns the address of 8 equal words.
func word256(w uint32) Mem { return constant256("floats", uint64(w)<<32|uint64(w)) }

func quantize256() {
	text("ymmQuantize", "func(dst *byte, x *float32, blocks int)", "writes records of 32 quantised activations.")
	dst, x, n := load("dst"), load("x"), load("blocks")
	limit, r := XMM(), GP32()
	MOVL(U32(f32(127)), r)
	VMOVD(r, limit)
	blocks(n, 1, "block", func() {
		peak := peak256(x)
		bits := GP32()
		VMOVD(peak, bits)
		CMPL(bits, U32(f32(1e-30)))
		JB(LabelRef("zero"))
		scale, inverse := XMM(), YMM()
		VDIVSS(limit, peak, scale)
		VDIVSS(peak, limit, inverse.AsX())
		VBROADCASTSS(inverse.AsX(), inverse)
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

func round256() {
	text("ymmRound", "func(dst *byte, x *float32, vectors int)", "rounds vectors of 16 to bfloat16.")
	dst, x, n := load("dst"), load("x"), load("vectors")
	blocks(n, 1, "vector", func() {
		var out [2]reg.VecVirtual
		for i := range out {
			v, odd, high, nan := YMM(), YMM(), YMM(), YMM()
			VMOVUPS(Mem{Base: x, Disp: 32 * i}, v)
			VCMPPS(Imm(3), v, v, nan)
			VPSRLD(Imm(16), v, high)
			VPAND(word256(1), high, odd)
			VPADDD(word256(0x7fff), odd, odd)
			VPADDD(odd, v, v)
			VPSRLD(Imm(16), v, v)
			VPOR(word256(0x40), high, high)
			VBLENDVPS(nan, high, v, v)
			out[i] = v
		}
		VPACKUSDW(out[1], out[0], out[0])
		VPERMQ(Imm(0xd8), out[0], out[0])
		VMOVDQU(out[0], Mem{Base: dst})
		ADDQ(U32(32), dst)
		ADDQ(U32(64), x)
	})
	VZEROUPPER()
	RET()
}

func norm256() {
	text("ymmNorm", "func(out, x, w *float32, vectors int, eps float64)", "normalises vectors of 16 by their root mean square; it sums in float64.")
	out, x, w, n := load("out"), load("x"), load("w"), load("vectors")
	sum := [4]reg.VecVirtual{YMM(), YMM(), YMM(), YMM()}
	for _, s := range sum {
		VXORPD(s, s, s)
	}
	at, left := GP64(), GP64()
	MOVQ(x, at)
	MOVQ(n, left)
	blocks(left, 1, "sum", func() {
		for i, s := range sum {
			v := YMM()
			VCVTPS2PD(Mem{Base: at, Disp: 16 * i}, v)
			VFMADD231PD(v, v, s)
		}
		ADDQ(U32(64), at)
	})
	VADDPD(sum[2], sum[0], sum[0])
	VADDPD(sum[3], sum[1], sum[1])
	VADDPD(sum[1], sum[0], sum[0])
	high := XMM()
	VEXTRACTF128(Imm(1), sum[0], high)
	VADDPD(high, sum[0].AsX(), sum[0].AsX())
	total := sum[0].AsX()
	VHADDPD(total, total, total)
	inverseRoot(total, n)
	scale := YMM()
	VBROADCASTSS(total, scale)
	blocks(n, 1, "scale", func() {
		for i := range 2 {
			v := YMM()
			VMULPS(Mem{Base: x, Disp: 32 * i}, scale, v)
			VMULPS(Mem{Base: w, Disp: 32 * i}, v, v)
			VMOVUPS(v, Mem{Base: out, Disp: 32 * i})
		}
		ADDQ(U32(64), x)
		ADDQ(U32(64), w)
		ADDQ(U32(64), out)
	})
	VZEROUPPER()
	RET()
}

func add256() {
	text("ymmAdd", "func(out, x *float32, vectors int)", "adds vectors of 16.")
	out, x, n := load("out"), load("x"), load("vectors")
	blocks(n, 1, "vector", func() {
		for i := range 2 {
			v := YMM()
			VMOVUPS(Mem{Base: x, Disp: 32 * i}, v)
			VADDPS(Mem{Base: out, Disp: 32 * i}, v, v)
			VMOVUPS(v, Mem{Base: out, Disp: 32 * i})
		}
		ADDQ(U32(64), x)
		ADDQ(U32(64), out)
	})
	VZEROUPPER()
	RET()
}

func activate256() {
	text("ymmActivate", "func(gate, up *float32, vectors int)", "computes silu(gate)·up of vectors of 16.")
	gate, up, n := load("gate"), load("up"), load("vectors")
	blocks(n, 1, "vector", func() {
		for i := range 2 {
			g, e := YMM(), YMM()
			VMOVUPS(Mem{Base: gate, Disp: 32 * i}, g)
			VXORPS(word256(1<<31), g, e)
			exp256(e)
			VADDPS(word256(f32(1)), e, e)
			VDIVPS(e, g, g)
			VMULPS(Mem{Base: up, Disp: 32 * i}, g, g)
			VMOVUPS(g, Mem{Base: gate, Disp: 32 * i})
		}
		ADDQ(U32(64), gate)
		ADDQ(U32(64), up)
	})
	VZEROUPPER()
	RET()
}

// exp256 replaces x by exp(x), as exp512 does, bit for bit.
func exp256(x reg.VecVirtual) {
	n, p, limit, over := YMM(), YMM(), YMM(), YMM()
	VMOVUPS(word256(f32(expHigh)), limit)
	VCMPPS(Imm(1), x, limit, over) // limit < x
	VMINPS(x, limit, x)
	VMOVUPS(word256(f32(expLow)), limit)
	VMAXPS(x, limit, x)
	VMULPS(word256(f32(math.Log2E)), x, n)
	VROUNDPS(Imm(8), n, n)
	VFNMADD231PS(word256(f32(ln2High)), n, x)
	VFNMADD231PS(word256(f32(ln2Low)), n, x)
	VMOVUPS(word256(f32(expPolynomial[0])), p)
	for _, c := range expPolynomial[1:] {
		VFMADD213PS(word256(f32(c)), x, p)
	}
	VCVTPS2DQ(n, n)
	VPSLLD(Imm(23), n, n)
	VPADDD(word256(f32(1)), n, n)
	VMULPS(n, p, x)
	VBLENDVPS(over, word256(f32(math.Inf(1))), x, x)
}

func softmax256() {
	text("ymmSoftmax", "func(x *float32, vectors int)", "replaces vectors of 16 by exp(x-max)/Σexp(x-max).")
	x, n := load("x"), load("vectors")
	var top, sum [2]reg.VecVirtual
	for i := range top {
		top[i], sum[i] = YMM(), YMM()
		VMOVUPS(word256(f32(math.Inf(-1))), top[i])
		VXORPS(sum[i], sum[i], sum[i])
	}
	each := func(label string, body func(i int, m Mem)) {
		at, left := copyOf(x), copyOf(n)
		blocks(left, 1, label, func() {
			for i := range 2 {
				body(i, Mem{Base: at, Disp: 32 * i})
			}
			ADDQ(U32(64), at)
		})
	}
	each("max", func(i int, m Mem) {
		v := YMM()
		VMOVUPS(m, v)
		VMAXPS(top[i], v, top[i])
	})
	fold256(top, func(v, acc reg.VecVirtual) { VMAXPS(acc, v, acc) })
	each("exp", func(i int, m Mem) {
		v := YMM()
		VMOVUPS(m, v)
		VSUBPS(top[0], v, v)
		exp256(v)
		VADDPS(v, sum[i], sum[i])
		VMOVUPS(v, m)
	})
	fold256(sum, func(v, acc reg.VecVirtual) { VADDPS(v, acc, acc) })
	one := YMM()
	VMOVUPS(word256(f32(1)), one)
	VDIVPS(sum[0], one, one)
	each("scale", func(_ int, m Mem) {
		v := YMM()
		VMULPS(m, one, v)
		VMOVUPS(v, m)
	})
	VZEROUPPER()
	RET()
}

// fold256 folds the elements of both registers into every one of the first.
func fold256(acc [2]reg.VecVirtual, op func(v, acc reg.VecVirtual)) {
	op(acc[1], acc[0])
	v := YMM()
	VPERMQ(Imm(0x4e), acc[0], v)
	op(v, acc[0])
	for _, order := range []uint64{0x4e, 0xb1} {
		VPSHUFD(Imm(order), acc[0], v)
		op(v, acc[0])
	}
}
