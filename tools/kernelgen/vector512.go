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

func f32(v float64) uint32 { return math.Float32bits(float32(v)) }

// word512 returns a vector of 16 equal words.
func word512(w uint32) reg.VecVirtual {
	r, z := GP32(), ZMM()
	MOVL(U32(w), r)
	VPBROADCASTD(r, z)
	return z
}

func load(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// text begins a function.
func text(name, signature, doc string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + " " + doc)
}

// blocks runs body while n is at least size, which it subtracts.
func blocks(n reg.GPVirtual, size int, label string, body func()) {
	Label(label)
	SUBQ(U32(uint32(size)), n)
	JLT(LabelRef(label + "end"))
	body()
	JMP(LabelRef(label))
	Label(label + "end")
}

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
	blocks(n, 1, "block", func() {
		a, b := ZMM(), ZMM()
		VMOVUPS(Mem{Base: x}, a)
		VMOVUPS(Mem{Base: x, Disp: 64}, b)
		peak := peak512(a, b, magnitude)
		bits := GP32()
		VMOVD(peak, bits)
		CMPL(bits, U32(f32(1e-30)))
		JB(LabelRef("zero"))
		scale, inverse := XMM(), ZMM()
		VDIVSS(limit, peak, scale)
		VDIVSS(peak, limit, inverse.AsX())
		VBROADCASTSS(inverse.AsX(), inverse)
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

func round512() {
	text("zmmRound", "func(dst *byte, x *float32, vectors int)", "rounds vectors of 16 to bfloat16.")
	dst, x, n := load("dst"), load("x"), load("vectors")
	half, one, quiet := word512(0x7fff), word512(1), word512(0x40)
	blocks(n, 1, "vector", func() {
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
	at, left := GP64(), GP64()
	MOVQ(x, at)
	MOVQ(n, left)
	blocks(left, 1, "sum", func() {
		for i, s := range sum {
			v := ZMM()
			VCVTPS2PD(Mem{Base: at, Disp: 32 * i}, v)
			VFMADD231PD(v, v, s)
		}
		ADDQ(U32(64), at)
	})
	VADDPD(sum[1], sum[0], sum[0])
	total := sumDoubles512(sum[0])
	inverseRoot(total, n)
	scale := ZMM()
	VBROADCASTSS(total, scale)
	blocks(n, 1, "scale", func() {
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

// inverseRoot replaces total, a float64, by 1/√(total/16n + eps) as f32.
func inverseRoot(total reg.Register, n reg.GPVirtual) {
	elements, count := GP64(), XMM()
	MOVQ(n, elements)
	SHLQ(Imm(4), elements)
	VPXOR(count, count, count)
	VCVTSI2SDQ(elements, count, count)
	VDIVSD(count, total, total)
	VADDSD(NewParamAddr("eps", 32), total, total)
	VSQRTSD(total, total, total)
	MOVQ(U64(math.Float64bits(1)), elements)
	VMOVQ(elements, count)
	VDIVSD(total, count, total)
	VCVTSD2SS(total, total, total)
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
	blocks(n, 1, "vector", func() {
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
	blocks(n, 1, "vector", func() {
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

// The exponential function: x = n·ln 2 + r with |r| ≤ ln 2 / 2, and a polynomial
// in r (the coefficients are Cephes's expf). Below the lower limit it stays at its
// value there, the least normal one; above the upper limit it is infinite.
const (
	expLow  = -87
	expHigh = 88
	ln2High = 0.693359375
	ln2Low  = -2.12194440e-4
)

var expPolynomial = []float64{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1}

type exp512 struct {
	low, high, infinity, log2e, ln2high, ln2low reg.VecVirtual
	polynomial                                  []reg.VecVirtual
}

func newExp512() *exp512 {
	e := &exp512{
		low: word512(f32(expLow)), high: word512(f32(expHigh)), infinity: word512(f32(math.Inf(1))), log2e: word512(f32(math.Log2E)),
		ln2high: word512(f32(ln2High)), ln2low: word512(f32(ln2Low)),
	}
	for _, c := range expPolynomial {
		e.polynomial = append(e.polynomial, word512(f32(c)))
	}
	return e
}

// of replaces x by exp(x), within 2 units in the last place; NaN stays NaN.
func (e *exp512) of(x reg.VecVirtual) {
	n, p, over := ZMM(), ZMM(), K()
	VCMPPS(Imm(1), x, e.high, over) // high < x
	VMAXPS(x, e.low, x)
	VMINPS(x, e.high, x)
	VMULPS(e.log2e, x, n)
	VRNDSCALEPS(Imm(8), n, n)
	VFNMADD231PS(e.ln2high, n, x)
	VFNMADD231PS(e.ln2low, n, x)
	VMOVAPS(e.polynomial[0], p)
	for _, c := range e.polynomial[1:] {
		VFMADD213PS(c, x, p)
	}
	VSCALEFPS(n, p, x)
	VMOVAPS(e.infinity, over, x)
}

func softmax512() {
	text("zmmSoftmax", "func(x *float32, vectors int)", "replaces vectors of 16 by exp(x-max)/Σexp(x-max).")
	x, n := load("x"), load("vectors")
	each := func(label string, body func(m Mem)) {
		at, left := copyOf(x), copyOf(n)
		blocks(left, 1, label, func() {
			body(Mem{Base: at})
			ADDQ(U32(64), at)
		})
	}
	top, sum := word512(f32(math.Inf(-1))), ZMM()
	VPXORD(sum, sum, sum)
	each("max", func(m Mem) {
		v := ZMM()
		VMOVUPS(m, v)
		VMAXPS(top, v, top)
	})
	fold512(top, func(v, acc reg.VecVirtual) { VMAXPS(acc, v, acc) })
	exp := newExp512()
	each("exp", func(m Mem) {
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
	each("scale", func(m Mem) {
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
