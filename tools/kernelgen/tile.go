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

// advance moves on by bytes of weights and of activations.
func (t *tile) advance(w, x int) {
	ADDQ(U32(uint32(w)), t.w)
	if t.panels > 3 {
		ADDQ(U32(uint32(w)), t.w3)
	}
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

// prefetchAhead is how far before their use weights are asked for: what the
// hardware's prefetchers do by themselves leaves a core waiting.
const prefetchAhead = 8192

// prefetch asks for the next bytes of weights, in the tiles of few rows, which use
// each byte only once or twice.
func (t *tile) prefetch(bytes int) {
	if t.cols > 4 {
		return
	}
	for p := range t.panels {
		for at := 0; at < bytes; at += 64 {
			PREFETCHT0(t.weights(p, prefetchAhead+at))
		}
	}
}
