package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// What the operations on single vectors have in common.

func f32(v float64) uint32 { return math.Float32bits(float32(v)) }

func copyOf(r reg.GPVirtual) reg.GPVirtual {
	c := GP64()
	MOVQ(r, c)
	return c
}

func load(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// text begins a function.
func text(name, signature, doc string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + " " + doc)
}

// blocks runs body n times; it uses n up.
func blocks(n reg.GPVirtual, label string, body func()) {
	Label(label)
	SUBQ(U32(1), n)
	JLT(LabelRef(label + "end"))
	body()
	JMP(LabelRef(label))
	Label(label + "end")
}

// eachVector runs body on all n vectors of 16 from x on, on each in as many parts as
// it is told, and leaves x and n as they are.
func eachVector(x, n reg.GPVirtual, parts int, label string, body func(i int, m Mem)) {
	at, left := copyOf(x), copyOf(n)
	blocks(left, label, func() {
		for i := range parts {
			body(i, Mem{Base: at, Disp: 64 / parts * i})
		}
		ADDQ(U32(64), at)
	})
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
