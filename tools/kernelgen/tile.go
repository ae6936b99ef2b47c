package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tile is a kernel that adds the products of panels × cols: panels of 16
// weight rows, ws bytes apart, with cols activation rows, xs bytes apart, over a
// number of steps. Its sums go to rows of out, os bytes apart, and begin at zero
// if fresh is not 0, or else at what out holds.
type tile struct {
	prefix               string // of labels
	panels, cols         int
	asks                 bool // for weights ahead
	w, x, out            strided
	steps, fresh         reg.GPVirtual
	lines, pieces, piece int // of prefetch
}

const tileSignature = "func(w *byte, ws int, x *byte, xs int, out *float32, os int, steps int, fresh int)"

func newTile(name string, panels, cols int) *tile {
	TEXT(fmt.Sprintf("%sP%dC%d", name, panels, cols), NOSPLIT, tileSignature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%sP%dC%d computes a tile of %d panels × %d activation rows.", name, panels, cols, panels, cols))
	t := &tile{panels: panels, cols: cols, asks: cols <= asking || strings.HasSuffix(name, few)}
	t.enter()
	return t
}

// enter loads the arguments.
func (t *tile) enter() {
	gp := func(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }
	t.w = newStrided(gp("w"), gp("ws"), t.panels)
	t.x = newStrided(gp("x"), gp("xs"), t.cols)
	t.out = newStrided(gp("out"), gp("os"), t.cols)
	t.steps, t.fresh = gp("steps"), gp("fresh")
}

func (t *tile) label(name string) string { return t.prefix + name }

// strided are the addresses of rows, stride bytes apart. An operand reaches three
// of them from a base.
type strided struct {
	bases  []reg.GPVirtual
	stride reg.GPVirtual
}

func newStrided(base, stride reg.GPVirtual, n int) strided {
	s := strided{[]reg.GPVirtual{base}, stride}
	for i := 3; i < n; i += 3 {
		next := GP64()
		LEAQ(Mem{Base: base, Index: stride, Scale: 2}, next)
		ADDQ(stride, next)
		s.bases = append(s.bases, next)
		base = next
	}
	return s
}

// at returns the address of row i, plus disp.
func (s strided) at(i, disp int) Mem {
	m := Mem{Base: s.bases[i/3], Disp: disp}
	if i%3 > 0 {
		m.Index, m.Scale = s.stride, uint8(i%3)
	}
	return m
}

// skip moves on by bytes.
func (s strided) skip(bytes int) {
	for _, b := range s.bases {
		ADDQ(U32(uint32(bytes)), b)
	}
}

func (t *tile) weights(panel, disp int) Mem { return t.w.at(panel, disp) }
func (t *tile) column(col, disp int) Mem    { return t.x.at(col, disp) }
func (t *tile) result(col, disp int) Mem    { return t.out.at(col, disp) }

// mark returns a copy of t that keeps to the weights where t is now.
func (t *tile) mark() *tile {
	m := *t
	m.w.bases = nil
	for _, b := range t.w.bases {
		m.w.bases = append(m.w.bases, copyOf(b))
	}
	return &m
}

// advance moves on by bytes of weights and of activations.
func (t *tile) advance(w, x int) {
	t.w.skip(w)
	t.x.skip(x)
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

// repeat runs body n times.
func (t *tile) repeat(label string, n int, body func()) {
	left := GP64()
	MOVQ(U32(uint32(n)), left)
	label = t.label(label)
	Label(label)
	body()
	DECQ(left)
	JNE(LabelRef(label))
}

// asking is up to how many rows all tiles ask for weights ahead.
const asking = 4

// ahead returns how far before their use weights are asked for in each panel:
// what the hardware's prefetchers do by themselves leaves a core waiting.
func (t *tile) ahead() int { return min(4096, 8192/t.panels) }

// prefetch makes ready to ask for as many bytes of weights as a part of the loop
// uses, in that many pieces, so that the requests do not come all at once. The
// tiles for many rows have no need: they use each byte often.
func (t *tile) prefetch(bytes, pieces int) {
	t.lines, t.pieces, t.piece = 0, pieces, 0
	if t.asks {
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
