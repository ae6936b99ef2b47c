package llama

import (
	"slices"

	"github.com/edgeshard/edgeshard/exec/kernel"
)

// A part is a sequence's rows in the pass at hand.
type part struct {
	seq          *sequence
	past, n, row int
}

// A workspace is the scratch memory of a shard's passes.
type workspace struct {
	s       *Shard
	rows    int
	parts   []part
	tiles   []tile // of the attention
	seen    map[int]bool
	inputs  [kernel.Forms]kernel.Activations
	threads []*kernel.Attention

	x, h        []float32 // [rows][Dim]: the residual stream; a block's contribution to it
	q, attended []float32 // [rows][Dim]
	k, v        []float32 // [rows][KVDim]
	gate, up    []float32 // [rows][Hidden]
	out         []float32 // [sequences][Vocab]

	// What the loop at hand works on; its body is one of loops.
	loops    loops
	span     func(lo, hi int) // of the rows
	norms    []float32
	cache    int // index of the block
	source   []float32
	products []product
}

func newWorkspace(s *Shard) *workspace {
	w := &workspace{s: s, seen: map[int]bool{}}
	w.loops = w.newLoops()
	if len(s.blocks) > 0 {
		for range s.pool.Threads() {
			w.threads = append(w.threads, s.path.NewAttention(s.config.HeadDim(), s.config.Context))
		}
	}
	return w
}

func (w *workspace) resize(rows, sequences int) {
	c := w.s.config
	w.rows = rows
	w.parts, w.tiles = w.parts[:0], w.tiles[:0]
	grow(&w.x, rows*c.Dim)
	grow(&w.h, rows*c.Dim)
	if w.s.head != nil {
		grow(&w.out, sequences*c.Vocab)
	}
	if len(w.s.blocks) == 0 {
		return
	}
	grow(&w.q, rows*c.Dim)
	grow(&w.attended, rows*c.Dim)
	grow(&w.k, rows*c.KVDim())
	grow(&w.v, rows*c.KVDim())
	grow(&w.gate, rows*c.Hidden)
	grow(&w.up, rows*c.Hidden)
}

// grow makes a slice n long; its elements are undefined.
func grow(s *[]float32, n int) {
	*s = slices.Grow((*s)[:0], n)[:n]
}

func (w *workspace) bytes() (n int64) {
	for _, s := range [][]float32{w.x, w.h, w.q, w.attended, w.k, w.v, w.gate, w.up, w.out} {
		n += int64(4 * cap(s))
	}
	for i := range w.inputs {
		n += w.inputs[i].Bytes()
	}
	for _, a := range w.threads {
		n += a.Bytes()
	}
	return n
}
