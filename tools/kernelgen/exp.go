package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

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
