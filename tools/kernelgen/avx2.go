package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var ys = []reg.VecPhysical{
	reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
	reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
}

func avx2() {
	vectors256()
	probes256()
	for cols := 1; cols <= maxCols; cols++ {
		float256("ymmF32", cols, 64, func(t *tile, half, at, to int) { VMOVUPS(t.weights(0, 64*at+32*half), ys[to]) })
		float256("ymmF16", cols, 32, func(t *tile, half, at, to int) { VCVTPH2PS(t.weights(0, 32*at+16*half), ys[to]) })
	}
	for cols := 1; cols <= maxCols256; cols++ {
		bfloat256("ymmBF16", cols)
		quant256("ymmQ8", cols, blockQ8of256)
		quant256("ymmQ4", cols, blockQ4of256)
		quant256("ymmQ4K", cols, superOf256(false))
		quant256("ymmQ5K", cols, superOf256(true))
		quant256("ymmQ6K", cols, blockQ6of256)
	}
}

// maxCols256 is how many activation rows the tiles take that need many registers.
const maxCols256 = 4

// float256 writes a tile of one panel, in two vectors of 8 rows, for weights of
// size bytes a step.
func float256(name string, cols, size int, weights func(t *tile, half, at, to int)) {
	t := newTile(name, 1, cols)
	acc := func(half, c int) int { return half*cols + c }
	const w, x = 12, 14
	t.begin256(2, 0, acc)
	t.loop(4, func(n int) {
		for i := range n {
			for half := range 2 {
				weights(t, half, i, w+half)
			}
			for c := range cols {
				VBROADCASTSS(t.column(c, 4*i), ys[x])
				for half := range 2 {
					VFMADD231PS(ys[w+half], ys[x], ys[acc(half, c)])
				}
			}
		}
		t.advance(n*size, n*4)
	})
	t.end256(2, 0, acc)
	VZEROUPPER()
	RET()
}

// bfloat256 widens pairs of bfloat16: the odd element of a pair is added first,
// as VDPBF16PS does.
func bfloat256(name string, cols int) {
	t := newTile(name, 1, cols)
	acc := func(half, c int) int { return half*cols + c }
	const even, odd, x, y = 8, 10, 12, 13
	upper := ys[14]
	r := GP32()
	MOVL(U32(0xffff0000), r)
	VMOVD(r, upper.AsX())
	VPBROADCASTD(upper.AsX(), upper)
	t.begin256(2, 0, acc)
	t.loop(1, func(int) {
		for half := range 2 {
			VPAND(t.weights(0, 32*half), upper, ys[odd+half])
			VMOVDQU(t.weights(0, 32*half), ys[even+half])
			VPSLLD(Imm(16), ys[even+half], ys[even+half])
		}
		for c := range cols {
			VPBROADCASTD(t.column(c, 0), ys[x])
			VPAND(upper, ys[x], ys[y])
			VPSLLD(Imm(16), ys[x], ys[x])
			for half := range 2 {
				VFMADD231PS(ys[odd+half], ys[y], ys[acc(half, c)])
				VFMADD231PS(ys[even+half], ys[x], ys[acc(half, c)])
			}
		}
		t.advance(64, 4)
	})
	t.end256(2, 0, acc)
	VZEROUPPER()
	RET()
}

// begin256 sets the accumulators of halves from the first on to zero or to what
// out holds.
func (t *tile) begin256(halves, first int, acc func(half, c int) int) {
	for half := range halves {
		for c := range t.cols {
			a := ys[acc(half, c)]
			VXORPS(a, a, a)
		}
	}
	TESTQ(t.fresh, t.fresh)
	begun := t.label("begun")
	JNE(LabelRef(begun))
	for half := range halves {
		for c := range t.cols {
			VMOVUPS(t.result(c, 32*(first+half)), ys[acc(half, c)])
		}
	}
	Label(begun)
}

func (t *tile) end256(halves, first int, acc func(half, c int) int) {
	for half := range halves {
		for c := range t.cols {
			VMOVUPS(ys[acc(half, c)], t.result(c, 32*(first+half)))
		}
	}
}
