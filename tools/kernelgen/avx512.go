package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// zs are the vector registers, given out by hand: instructions that avo lacks
// name them by number.
var zs = []reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
	reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
	reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
	reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
}

// maxCols is the most activation rows of a tile, but for those of fewCols rows that
// have the weights read once.
const (
	maxCols = 6
	fewCols = 8
)

func avx512() {
	vectors512()
	packs512()
	probes512()
	for cols := 1; cols <= maxCols; cols++ {
		for _, panels := range []int{1, 4} {
			floats512("", panels, cols)
		}
		wide := 2
		if cols <= 2 {
			wide = 4 // one row, or two, leave the registers for it
		}
		for _, panels := range []int{1, wide} {
			quants512("", panels, cols)
		}
		for _, panels := range []int{1, 2} {
			if panels == 1 || cols > 2 {
				super512("zmmQ4K", panels, cols, false)
				super512("zmmQ5K", panels, cols, true)
			}
			super6x512("zmmQ6K", panels, cols)
		}
	}
	for cols := asking + 1; cols <= fewCols; cols++ {
		for panels := 1; panels <= 2; panels++ {
			floats512(few, panels, cols)
			quants512(few, panels, cols)
		}
	}
}

// few is in the names of tiles for more rows than asking that ask for weights nevertheless.
const few = "Few"

func floats512(kind string, panels, cols int) {
	wide512("zmmF32"+kind, panels, cols, element512{64, 4, loadF32, fmaF32})
	wide512("zmmBF16"+kind, panels, cols, element512{64, 4, loadF32, dotBF16})
	wide512("zmmF16"+kind, panels, cols, element512{32, 4, loadF16, fmaF32})
}

func quants512(kind string, panels, cols int) {
	quant512("zmmQ8"+kind, panels, cols, blockQ8)
	quant512("zmmQ4"+kind, panels, cols, blockQ4)
}

// An element512 tells how a tile steps through weights that need no scales:
// bytes of a panel and of an activation row a step, and the instructions.
type element512 struct {
	w, x int
	load func(m Mem, to int)
	mul  func(w, x, acc int)
}

func loadF32(m Mem, to int) { VMOVUPS(m, zs[to]) }
func loadF16(m Mem, to int) { VCVTPH2PS(m, zs[to]) }

func fmaF32(w, x, acc int) { VFMADD231PS(zs[w], zs[x], zs[acc]) }

// dotBF16 is VDPBF16PS acc, x, w, which the assembler does not know: EVEX.512.F3.0F38.W0 52.
func dotBF16(w, x, acc int) {
	inverse := func(v, bit int) int { return 1 &^ (v >> bit) & 1 }
	p1 := inverse(acc, 3)<<7 | inverse(w, 4)<<6 | inverse(w, 3)<<5 | inverse(acc, 4)<<4 | 2
	p2 := (^x&15)<<3 | 4 | 2
	p3 := 0x40 | inverse(x, 4)<<3
	modrm := 0xc0 | acc&7<<3 | w&7
	for _, b := range []int{0x62, p1, p2, p3, 0x52, modrm} {
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{Imm(uint64(b))}})
	}
}

// wide512 writes a tile whose accumulators stay in registers: acc(p, c) = p·cols+c.
func wide512(name string, panels, cols int, e element512) {
	t := newTile(name, panels, cols)
	acc := func(p, c int) int { return p*cols + c }
	const firstW, x = 24, 28
	t.begin512(acc)
	t.loop(4, func(n int) {
		t.prefetch(n*e.w, n)
		for i := range n {
			t.prefetchPiece()
			for p := range panels {
				e.load(t.weights(p, i*e.w), firstW+p)
			}
			for c := range cols {
				VBROADCASTSS(t.column(c, i*e.x), zs[x])
				for p := range panels {
					e.mul(firstW+p, x, acc(p, c))
				}
			}
		}
		t.advance(n*e.w, n*e.x)
	})
	t.end512(acc)
}

// inResult is the register of an accumulator that stays in out.
const inResult = -1

// eachAcc calls do for the accumulators, in registers or not.
func (t *tile) eachAcc(acc func(p, c int) int, registers bool, do func(p, c int)) {
	for p := range t.panels {
		for c := range t.cols {
			if registers == (acc(p, c) != inResult) {
				do(p, c)
			}
		}
	}
}

// begin512 sets the accumulators to zero or to what out holds.
func (t *tile) begin512(acc func(p, c int) int) {
	t.eachAcc(acc, true, func(p, c int) {
		a := zs[acc(p, c)]
		VPXORD(a, a, a)
	})
	TESTQ(t.fresh, t.fresh)
	JNE(LabelRef("fresh"))
	t.eachAcc(acc, true, func(p, c int) { VMOVUPS(t.result(c, 64*p), zs[acc(p, c)]) })
	JMP(LabelRef("begun"))
	Label("fresh")
	t.eachAcc(acc, false, func(p, c int) { VMOVUPS(zs[acc(0, 0)], t.result(c, 64*p)) })
	Label("begun")
}

// end512 stores the accumulators and returns.
func (t *tile) end512(acc func(p, c int) int) {
	t.eachAcc(acc, true, func(p, c int) { VMOVUPS(zs[acc(p, c)], t.result(c, 64*p)) })
	VZEROUPPER()
	RET()
}
