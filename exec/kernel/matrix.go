package kernel

import (
	"fmt"
	"sync"

	"github.com/edgeshard/edgeshard/models"
)

// A Matrix is a weight matrix [Rows][Cols] ready to be multiplied by a path.
type Matrix struct {
	Precision  models.Precision
	Rows, Cols int

	path   *Path
	source []byte // row-major, as in the checkpoint
	panels []byte // where the path has kernels of its own
}

// NewMatrix checks t and readies it for path p. Most paths want weights in an
// order of their own: then space gives PackedBytes of memory, which Pack must
// fill before Mul, and t is not read. Otherwise the matrix goes on reading t.
func (p *Path) NewMatrix(t models.Tensor, space func(bytes int) []byte) (*Matrix, error) {
	if t.Cols%t.Precision.BlockElements() != 0 {
		return nil, fmt.Errorf("%s matrix of %d columns: want a multiple of %d", t.Precision, t.Cols, t.Precision.BlockElements())
	}
	if want := int64(t.Rows) * t.Precision.Bytes(int64(t.Cols)); int64(len(t.Data)) != want {
		return nil, fmt.Errorf("%s matrix of %d×%d has %d bytes: want %d", t.Precision, t.Rows, t.Cols, len(t.Data), want)
	}
	m := &Matrix{Precision: t.Precision, Rows: t.Rows, Cols: t.Cols, path: p, source: t.Data}
	if n := p.PackedBytes(t); n > 0 {
		m.panels = space(n)
	}
	return m, nil
}

// PackedBytes returns the memory that t takes in the path's order; 0 if it
// stays as it is.
func (p *Path) PackedBytes(t models.Tensor) int {
	if p.tiles[t.Precision] == nil {
		return 0
	}
	k := packings[t.Precision]
	return roundUp(t.Rows, lanes) / lanes * k.steps(t.Cols) * k.bytes
}

// Packed tells whether the matrix has a copy of the weights, for Pack to fill.
func (m *Matrix) Packed() bool { return m.panels != nil }

// Bytes returns the memory of the weights.
func (m *Matrix) Bytes() int64 {
	if m.panels != nil {
		return int64(len(m.panels))
	}
	return int64(len(m.source))
}

// Pack copies rows [lo, hi), whose bytes are given, into the path's order; lo must
// be a multiple of 16, and so must hi but at the end. Different ranges may be
// packed concurrently.
func (m *Matrix) Pack(lo, hi int, rows []byte) {
	if m.panels == nil {
		return
	}
	k := packings[m.Precision]
	steps := k.steps(m.Cols)
	size := m.RowBytes()
	t := m.path.tiles[m.Precision]
	for r := lo; r < hi; r, rows = r+lanes, rows[min(lanes*size, len(rows)):] {
		panel := m.panels[r/lanes*steps*k.bytes:][:steps*k.bytes]
		if r+lanes <= hi && t.pack != nil && m.Cols%(k.elements*t.packSteps) == 0 {
			t.pack(&panel[0], &rows[:lanes*size][0], size, steps/t.packSteps)
			continue
		}
		for i := range min(lanes, hi-r) {
			k.pack(panel, rows[i*size:][:size], i, steps)
		}
	}
}

// RowBytes returns the bytes of a row in the checkpoint.
func (m *Matrix) RowBytes() int { return int(m.Precision.Bytes(int64(m.Cols))) }

// Mul computes rows [lo, hi) of out[n][Rows] = x[n][Cols] · Wᵀ, x being
// activations in the companion form of the matrix's precision; lo must be a
// multiple of 16. Different ranges of rows may be computed concurrently.
func (m *Matrix) Mul(out []float32, x *Activations, lo, hi int) {
	if x.cols != m.Cols || x.form != FormOf(m.Precision) {
		panic("kernel: activations do not fit the matrix")
	}
	if m.panels == nil {
		m.mulRows(out, x, lo, hi)
		return
	}
	whole := hi / lanes * lanes
	m.mulPanels(out[lo:], m.Rows, x, lo/lanes, whole/lanes)
	if whole < hi {
		m.mulTail(out, x, whole)
	}
}

func (m *Matrix) mulPanels(out []float32, os int, x *Activations, lo, hi int) {
	if lo >= hi {
		return
	}
	t, k := m.path.tiles[m.Precision], &packings[m.Precision]
	steps := k.steps(m.Cols)
	ws := steps * k.bytes
	t.mul(k, out, os, m.panels[lo*ws:], ws, hi-lo, x.bytes(), x.stride, x.n, steps)
}

// tails holds buffers for panels of less than 16 rows.
var tails = sync.Pool{New: func() any { return new([]float32) }}

// mulTail computes the last panel, rows from lo.
func (m *Matrix) mulTail(out []float32, x *Activations, lo int) {
	tail := tails.Get().(*[]float32)
	defer tails.Put(tail)
	if need := x.n * lanes; cap(*tail) < need {
		*tail = make([]float32, need)
	}
	buf := (*tail)[:x.n*lanes]
	m.mulPanels(buf, lanes, x, lo/lanes, lo/lanes+1)
	for i := range x.n {
		copy(out[i*m.Rows+lo:(i+1)*m.Rows], buf[i*lanes:])
	}
}

func (m *Matrix) mulRows(out []float32, x *Activations, lo, hi int) {
	size := m.RowBytes()
	for r := lo; r < hi; r++ {
		w := m.source[r*size:][:size]
		for i := range x.n {
			out[i*m.Rows+r] = m.dot(w, x, i)
		}
	}
}

func (m *Matrix) dot(w []byte, x *Activations, row int) float32 {
	switch m.Precision {
	case models.F32:
		return dotF32(w, x.f32[row*x.cols:][:x.cols])
	case models.F16:
		return dotF16(w, x.f32[row*x.cols:][:x.cols])
	case models.BF16:
		return dotBF16(w, x.data[row*x.stride:])
	case models.Q8_0:
		return dotQ8(w, x.data[row*x.stride:])
	case models.Q4_0:
		return dotQ4(w, x.data[row*x.stride:])
	case models.Q4_K:
		return dotSuper(unpackQ4K, 144, w, x.data[row*x.stride:])
	case models.Q5_K:
		return dotSuper(unpackQ5K, 176, w, x.data[row*x.stride:])
	case models.Q6_K:
		return dotSuper(unpackQ6K, 210, w, x.data[row*x.stride:])
	}
	panic(fmt.Sprintf("kernel: no product with %s", m.Precision))
}
