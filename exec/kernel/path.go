package kernel

import (
	"github.com/edgeshard/edgeshard/models"
)

// A Path is a set of kernels for one kind of CPU. The plain path, in Go, runs
// everywhere and defines what the others compute.
type Path struct {
	name  string
	tiles [precisions]*tiles // nil: the plain kernel, over weights as the checkpoint has them
	ops   ops

	probes probes
}

// precisions is the number of formats that a path may have kernels for.
const precisions = int(models.Q6_K) + 1

// ops are the vector operations of a path.
type ops struct {
	norm     func(out, x, w []float32, eps float64)
	add      func(out, x []float32)
	activate func(gate, up []float32)
	softmax  func(x []float32)
	quantize func(dst []byte, x []float32)
	round    func(dst []byte, x []float32)
}

var plainOps = ops{
	norm: plainNorm, add: plainAdd, activate: plainSwiGLU, softmax: plainSoftmax,
	quantize: quantize, round: roundBF16,
}

// Plain is the path in Go.
var Plain = &Path{name: "plain", ops: plainOps}

// Name returns what EDGESHARD_KERNEL calls the path.
func (p *Path) Name() string { return p.name }

// A tileFunc adds products of panels of weights with rows of activations, see
// the generator: weights panels ws bytes apart, rows of x xs bytes apart, rows of
// out os bytes apart, over steps; the sums begin at zero if fresh is not 0.
type tileFunc func(w *byte, ws int, x *byte, xs int, out *float32, os int, steps int, fresh int)

// maxCols is the most activation rows a tile takes.
const maxCols = 8

// fewRows is up to how many rows of activations memory is the limit, which other
// tiles suit than those of many.
const fewRows = 2

// tiles are the kernels of one precision, indexed by rows of activations: wide
// ones take several panels of 16 weight rows at a time, narrow ones a single one.
// Panels read side by side are as many streams from memory.
type tiles struct {
	panels       int // of a wide tile for many rows; 0: there are none
	few          int // of one for few rows; 0: there are none
	wide, narrow [maxCols + 1]tileFunc
	// pairs take two panels, singles one, for a few rows that are all: they read the
	// weights once and ask for them ahead.
	pairs, singles [maxCols + 1]tileFunc
	cols           int      // the most activation rows of a tile where there are many
	pack           packFunc // nil: the plain one
	packSteps      int      // steps that a step of pack makes
	chunk          int      // steps after which the activation rows change, so that weights stay in the L1 cache
}

// mul computes out[i][16p..] for panels of w and n rows of x, over steps.
func (t *tiles) mul(k *packing, out []float32, os int, w []byte, ws, panels int, x []byte, xs, n, steps int) {
	for p := 0; p < panels; {
		f, step := t.kernels(n, panels-p)
		t.mulPanels(k, f, out[p*lanes:], os, w[p*ws:], ws, step, x, xs, n, steps)
		p += step
	}
}

// kernels returns those for n rows, and how many of the panels they take.
func (t *tiles) kernels(n, panels int) (*[maxCols + 1]tileFunc, int) {
	step := t.panels
	if n <= fewRows {
		step = t.few
	}
	switch all := n <= maxCols && t.pairs[n] != nil; {
	case all && panels >= 2:
		return &t.pairs, 2
	case all:
		return &t.singles, 1
	case step > 0 && panels >= step:
		return &t.wide, step
	}
	return &t.narrow, 1
}

// mulPanels multiplies as many panels as the kernels f take.
func (t *tiles) mulPanels(k *packing, f *[maxCols + 1]tileFunc, out []float32, os int, w []byte, ws, panels int, x []byte, xs, n, steps int) {
	chunk, fresh := t.chunk, 1
	parts := (n + t.cols - 1) / t.cols
	if n <= maxCols && f[n] != nil {
		parts, chunk = 1, steps
	}
	for at := 0; at < steps; at += chunk {
		c := min(chunk, steps-at)
		for part := range parts {
			lo, hi := n*part/parts, n*(part+1)/parts
			f[hi-lo](&w[at*k.bytes], ws, &x[lo*xs+at*k.x], xs, &out[lo*os], 4*os, c, fresh)
			if parts >= prefetchParts {
				prefetchNext(w, ws, panels, (at+c)*k.bytes, chunk*k.bytes, part, parts)
			}
		}
		fresh = 0
	}
}

// prefetchParts is how many tiles a chunk of weights must be used in for the next
// one to be fetched meanwhile. With less to do the tiles fetch their own.
const prefetchParts = 4

// prefetchNext asks for a part of size bytes of each panel, from at. Behind a
// panel lies the next one that is wanted, of which there may be none.
func prefetchNext(w []byte, ws, panels, at, size, part, parts int) {
	if at >= ws {
		at += (panels - 1) * ws
	}
	lo, hi := panels*size*part/parts, panels*size*(part+1)/parts
	for lo < hi {
		panel, in := lo/size, lo%size
		n := min(hi-lo, size-in)
		from := panel*ws + at + in
		if from >= len(w) {
			return
		}
		prefetch(&w[from], (n+lineBytes-1)/lineBytes)
		lo += n
	}
}

const lineBytes = 64
