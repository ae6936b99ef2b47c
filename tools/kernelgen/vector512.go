package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors512 writes the operations on single vectors.
func vectors512() {
	quantize512()
	round512()
	norm512()
	add512()
	activate512()
	softmax512()
}

// word512 returns a vector of 16 equal words.
func word512(w uint32) reg.VecVirtual {
	r, z := GP32(), ZMM()
	MOVL(U32(w), r)
	VPBROADCASTD(r, z)
	return z
}

func round512() {
	text("zmmRound", "func(dst *byte, x *float32, vectors int)", "rounds vectors of 16 to bfloat16.")
	dst, x, n := load("dst"), load("x"), load("vectors")
	half, one, quiet := word512(0x7fff), word512(1), word512(0x40)
	blocks(n, "vector", func() {
		v, odd, high, nan := ZMM(), ZMM(), ZMM(), K()
		VMOVUPS(Mem{Base: x}, v)
		VCMPPS(Imm(3), v, v, nan)
		VPSRLD(Imm(16), v, high)
		VPANDD(high, one, odd)
		VPADDD(half, odd, odd)
		VPADDD(odd, v, v)
		VPSRLD(Imm(16), v, v)
		VPORD(quiet, high, nan, v)
		VPMOVDW(v, Mem{Base: dst})
		ADDQ(U32(32), dst)
		ADDQ(U32(64), x)
	})
	VZEROUPPER()
	RET()
}

func norm512() {
	text("zmmNorm", "func(out, x, w *float32, vectors int, eps float64)", "normalises vectors of 16 by their root mean square; it sums in float64.")
	out, x, w, n := load("out"), load("x"), load("w"), load("vectors")
	sum := [2]reg.VecVirtual{ZMM(), ZMM()}
	for _, s := range sum {
		VPXORQ(s, s, s)
	}
	eachVector(x, n, len(sum), "sum", func(i int, m Mem) {
		v := ZMM()
		VCVTPS2PD(m, v)
		VFMADD231PD(v, v, sum[i])
	})
	VADDPD(sum[1], sum[0], sum[0])
	total := sumDoubles512(sum[0])
	inverseRoot(total, n)
	scale := ZMM()
	VBROADCASTSS(total, scale)
	blocks(n, "scale", func() {
		v := ZMM()
		VMULPS(Mem{Base: x}, scale, v)
		VMULPS(Mem{Base: w}, v, v)
		VMOVUPS(v, Mem{Base: out})
		ADDQ(U32(64), x)
		ADDQ(U32(64), w)
		ADDQ(U32(64), out)
	})
	VZEROUPPER()
	RET()
}

func sumDoubles512(z reg.VecVirtual) reg.VecVirtual {
	t := YMM()
	VEXTRACTF64X4(Imm(1), z, t)
	VADDPD(t, z.AsY(), z.AsY())
	VEXTRACTF128(Imm(1), z.AsY(), t.AsX())
	VADDPD(t.AsX(), z.AsX(), z.AsX())
	VHADDPD(z.AsX(), z.AsX(), z.AsX())
	return z.AsX().(reg.VecVirtual)
}

func add512() {
	text("zmmAdd", "func(out, x *float32, vectors int)", "adds vectors of 16.")
	out, x, n := load("out"), load("x"), load("vectors")
	blocks(n, "vector", func() {
		v := ZMM()
		VMOVUPS(Mem{Base: x}, v)
		VADDPS(Mem{Base: out}, v, v)
		VMOVUPS(v, Mem{Base: out})
		ADDQ(U32(64), x)
		ADDQ(U32(64), out)
	})
	VZEROUPPER()
	RET()
}

func activate512() {
	text("zmmActivate", "func(gate, up *float32, vectors int)", "computes silu(gate)·up of vectors of 16.")
	gate, up, n := load("gate"), load("up"), load("vectors")
	exp, sign, one := newExp512(), word512(1<<31), word512(f32(1))
	blocks(n, "vector", func() {
		g, e := ZMM(), ZMM()
		VMOVUPS(Mem{Base: gate}, g)
		VPXORD(sign, g, e)
		exp.of(e)
		VADDPS(one, e, e)
		VDIVPS(e, g, g)
		VMULPS(Mem{Base: up}, g, g)
		VMOVUPS(g, Mem{Base: gate})
		ADDQ(U32(64), gate)
		ADDQ(U32(64), up)
	})
	VZEROUPPER()
	RET()
}

func softmax512() {
	text("zmmSoftmax", "func(x *float32, vectors int)", "replaces vectors of 16 by exp(x-max)/Σexp(x-max).")
	x, n := load("x"), load("vectors")
	top, sum := word512(f32(math.Inf(-1))), ZMM()
	VPXORD(sum, sum, sum)
	eachVector(x, n, 1, "max", func(_ int, m Mem) {
		v := ZMM()
		VMOVUPS(m, v)
		VMAXPS(top, v, top)
	})
	fold512(top, func(v, acc reg.VecVirtual) { VMAXPS(acc, v, acc) })
	exp := newExp512()
	eachVector(x, n, 1, "exp", func(_ int, m Mem) {
		v := ZMM()
		VMOVUPS(m, v)
		VSUBPS(top, v, v)
		exp.of(v)
		VADDPS(v, sum, sum)
		VMOVUPS(v, m)
	})
	fold512(sum, func(v, acc reg.VecVirtual) { VADDPS(v, acc, acc) })
	one := word512(f32(1))
	VDIVPS(sum, one, one)
	eachVector(x, n, 1, "scale", func(_ int, m Mem) {
		v := ZMM()
		VMULPS(m, one, v)
		VMOVUPS(v, m)
	})
	VZEROUPPER()
	RET()
}

// fold512 folds the elements of acc into every one of them.
func fold512(acc reg.VecVirtual, op func(v, acc reg.VecVirtual)) {
	v := ZMM()
	for _, order := range []uint64{0x4e, 0xb1} {
		VSHUFF64X2(Imm(order), acc, acc, v)
		op(v, acc)
	}
	for _, order := range []uint64{0x4e, 0xb1} {
		VPSHUFD(Imm(order), acc, v)
		op(v, acc)
	}
}
