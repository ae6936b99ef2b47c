package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tile is a kernel that adds the products of panels × cols: panels of 16
// weight rows, ws bytes apart, with cols activation rows, xs bytes apart, over a
// number of steps. Its sums go to rows of out, os bytes apart, and begin at zero
// if fresh is not 0, or else at what out holds.
type tile struct {
	prefix                      string // of labels
	panels, cols                int
	w, ws, w3, x, xs, x3        reg.GPVirtual
	out, os, out3, steps, fresh reg.GPVirtual
	lines, pieces, piece        int // of prefetch
}

const tileSignature = "func(w *byte, ws int, x *byte, xs int, out *float32, os int, steps int, fresh int)"

func newTile(name string, panels, cols int) *tile {
	TEXT(fmt.Sprintf("%sP%dC%d", name, panels, cols), NOSPLIT, tileSignature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%sP%dC%d computes a tile of %d panels × %d activation rows.", name, panels, cols, panels, cols))
	t := &tile{panels: panels, cols: cols}
	t.enter()
	return t
}

// enter loads the arguments.
func (t *tile) enter() {
	gp := func(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }
	t.w, t.ws, t.x, t.xs = gp("w"), gp("ws"), gp("x"), gp("xs")
	t.out, t.os, t.steps, t.fresh = gp("out"), gp("os"), gp("steps"), gp("fresh")
	t.w3 = third(t.w, t.ws, t.panels)
	t.x3 = third(t.x, t.xs, t.cols)
	t.out3 = third(t.out, t.os, t.cols)
}

func (t *tile) label(name string) string { return t.prefix + name }

// third returns base + 3·stride, if more than 3 of n lie there.
func third(base, stride reg.GPVirtual, n int) reg.GPVirtual {
	r := base
	if n > 3 {
		r = GP64()
		LEAQ(Mem{Base: base, Index: stride, Scale: 2}, r)
		ADDQ(stride, r)
	}
	return r
}

// at returns the address base + i·stride + disp for i up to 5.
func at(base, base3, stride reg.GPVirtual, i, disp int) Mem {
	if i >= 3 {
		base, i = base3, i-3
	}
	m := Mem{Base: base, Disp: disp}
	if i > 0 {
		m.Index, m.Scale = stride, uint8(i)
	}
	return m
}

func (t *tile) weights(panel, disp int) Mem { return at(t.w, t.w3, t.ws, panel, disp) }
func (t *tile) column(col, disp int) Mem    { return at(t.x, t.x3, t.xs, col, disp) }
func (t *tile) result(col, disp int) Mem    { return at(t.out, t.out3, t.os, col, disp) }

// mark returns a copy of t that keeps to the weights where t is now.
func (t *tile) mark() *tile {
	m := *t
	m.w = copyOf(t.w)
	m.w3 = m.w
	if t.panels > 3 {
		m.w3 = copyOf(t.w3)
	}
	return &m
}

// skip moves on by bytes of weights.
func (t *tile) skip(bytes int) {
	ADDQ(U32(uint32(bytes)), t.w)
	if t.panels > 3 {
		ADDQ(U32(uint32(bytes)), t.w3)
	}
}

// advance moves on by bytes of weights and of activations.
func (t *tile) advance(w, x int) {
	t.skip(w)
	ADDQ(U32(uint32(x)), t.x)
	if t.cols > 3 {
		ADDQ(U32(uint32(x)), t.x3)
	}
}

// loop runs body(n) while steps are left, n of them at a time: first unroll,
// then single ones.
func (t *tile) loop(unroll int, body func(n int)) {
	if unroll > 1 {
		Label(t.label("many"))
		SUBQ(Imm(uint64(unroll)), t.steps)
		JLT(LabelRef(t.label("few")))
		body(unroll)
		JMP(LabelRef(t.label("many")))
		Label(t.label("few"))
		ADDQ(Imm(uint64(unroll)), t.steps)
	}
	Label(t.label("single"))
	SUBQ(Imm(1), t.steps)
	JLT(LabelRef(t.label("done")))
	body(1)
	JMP(LabelRef(t.label("single")))
	Label(t.label("done"))
}

// ahead returns how far before their use weights are asked for in each panel:
// what the hardware's prefetchers do by themselves leaves a core waiting.
func (t *tile) ahead() int { return min(4096, 8192/t.panels) }

// prefetch makes ready to ask for as many bytes of weights as a part of the loop
// uses, in that many pieces, so that the requests do not come all at once. The
// tiles of many rows have no need: they use each byte often.
func (t *tile) prefetch(bytes, pieces int) {
	t.lines, t.pieces, t.piece = 0, pieces, 0
	if t.cols <= 4 {
		t.lines = (bytes + 63) / 64
	}
}

// prefetchPiece asks for the next piece.
func (t *tile) prefetchPiece() {
	lo, hi := t.lines*t.piece/t.pieces, t.lines*(t.piece+1)/t.pieces
	for line := lo; line < hi; line++ {
		for p := range t.panels {
			PREFETCHT0(t.weights(p, t.ahead()+64*line))
		}
	}
	t.piece++
}
