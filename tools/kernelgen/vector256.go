package main

import (
	"math"

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

func round256() {
	text("ymmRound", "func(dst *byte, x *float32, vectors int)", "rounds vectors of 16 to bfloat16.")
	dst, x, n := load("dst"), load("x"), load("vectors")
	blocks(n, "vector", func() {
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
	eachVector(x, n, len(sum), "sum", func(i int, m Mem) {
		v := YMM()
		VCVTPS2PD(m, v)
		VFMADD231PD(v, v, sum[i])
	})
	total := sumDoubles256(sum)
	inverseRoot(total, n)
	scale := YMM()
	VBROADCASTSS(total, scale)
	blocks(n, "scale", func() {
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

func sumDoubles256(sum [4]reg.VecVirtual) reg.Register {
	VADDPD(sum[2], sum[0], sum[0])
	VADDPD(sum[3], sum[1], sum[1])
	VADDPD(sum[1], sum[0], sum[0])
	high, total := XMM(), sum[0].AsX()
	VEXTRACTF128(Imm(1), sum[0], high)
	VADDPD(high, total, total)
	VHADDPD(total, total, total)
	return total
}

func add256() {
	text("ymmAdd", "func(out, x *float32, vectors int)", "adds vectors of 16.")
	out, x, n := load("out"), load("x"), load("vectors")
	blocks(n, "vector", func() {
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
	blocks(n, "vector", func() {
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

func softmax256() {
	text("ymmSoftmax", "func(x *float32, vectors int)", "replaces vectors of 16 by exp(x-max)/Σexp(x-max).")
	x, n := load("x"), load("vectors")
	var top, sum [2]reg.VecVirtual
	for i := range top {
		top[i], sum[i] = YMM(), YMM()
		VMOVUPS(word256(f32(math.Inf(-1))), top[i])
		VXORPS(sum[i], sum[i], sum[i])
	}
	eachVector(x, n, 2, "max", func(i int, m Mem) {
		v := YMM()
		VMOVUPS(m, v)
		VMAXPS(top[i], v, top[i])
	})
	fold256(top, func(v, acc reg.VecVirtual) { VMAXPS(acc, v, acc) })
	eachVector(x, n, 2, "exp", func(i int, m Mem) {
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
	eachVector(x, n, 2, "scale", func(_ int, m Mem) {
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
