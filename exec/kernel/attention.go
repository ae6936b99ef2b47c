package kernel

import (
	"math"
	"slices"

	"github.com/edgeshard/edgeshard/models"
)

// attendColumns is how many query vectors attend together; they share every
// read of the cache.
const attendColumns = 24

// An Attention is the workspace in which one thread computes attention.
type Attention struct {
	path                  *Path
	queries, scores, sums []float32
}

// NewAttention allocates the workspace for heads of dim elements and caches of
// up to positions.
func (p *Path) NewAttention(dim, positions int) *Attention {
	wide := roundUp(dim, lanes)
	return &Attention{
		path:    p,
		queries: make([]float32, attendColumns*dim),
		scores:  make([]float32, attendColumns*roundUp(positions, lanes)),
		sums:    make([]float32, attendColumns*wide),
	}
}

// Bytes returns the memory the workspace takes.
func (a *Attention) Bytes() int64 {
	return int64(4 * (len(a.queries) + len(a.scores) + len(a.sums)))
}

// AttendRows returns how many query rows one call of Attend takes at most,
// where group query heads share a key head.
func AttendRows(group int) int { return max(1, attendColumns/group) }

// Attend computes softmax(q·Kᵀ/√dim)·V of the query heads that share key head
// h of c. q and out are rows [n][stride] of query heads, n at most
// AttendRows; row i stands at position past+i and attends to positions up to
// and with its own.
func (a *Attention) Attend(out, q []float32, stride int, c *Cache, h, group, past, n int) {
	for g := 0; g < group; g += attendColumns {
		a.attend(out[(h*group+g)*c.Dim:], q[(h*group+g)*c.Dim:], stride, c, h, min(group-g, attendColumns), past, n)
	}
}

func (a *Attention) attend(out, q []float32, stride int, c *Cache, h, group, past, n int) {
	cols, dim, wide := n*group, c.Dim, roundUp(c.Dim, lanes)
	scale := float32(1 / math.Sqrt(float64(dim)))
	for i := range cols {
		row := q[i/group*stride+i%group*dim:]
		for j := range dim {
			a.queries[i*dim+j] = row[j] * scale
		}
	}
	length := past + n
	padded := roundUp(length, lanes)
	a.path.mulPanels(a.scores, padded, panelsOf{c.Precision, c.headOf(c.k, h), dim, padded / lanes}, a.queries, dim, cols, dim)
	for i := range cols {
		row := a.scores[i*padded:][:padded]
		seen := past + i/group + 1
		for j := seen; j < padded; j++ {
			row[j] = float32(math.Inf(-1))
		}
		a.path.ops.softmax(row)
		clear(row[seen:]) // exactly zero, though the path's exp may not be
	}
	values := panelsOf{c.Precision, c.headOf(c.v, h), c.Positions, wide / lanes}
	a.path.mulPanels(a.sums, wide, values, a.scores, padded, cols, length)
	// Weights of later positions are zero, but zero times what is not finite is NaN. The
	// first row has the most of them: if it is clean, so are the others.
	if n > 1 && slices.ContainsFunc(a.sums[:dim], isNaN) {
		for i := range n {
			a.path.mulPanels(a.sums[i*group*wide:], wide, values, a.scores[i*group*padded:], padded, group, past+i+1)
		}
	}
	for i := range cols {
		copy(out[i/group*stride+i%group*dim:][:dim], a.sums[i*wide:])
	}
}

func isNaN(v float32) bool { return v != v }

// panelsOf are count panels of 16 weights for each of stride steps, F32 or F16.
type panelsOf struct {
	precision     models.Precision
	data          []byte
	stride, count int
}

// mulPanels computes out[i][16·p+l] = Σ_j w[p][j][l] · x[i][j] for n rows x of k
// elements, xs apart; rows of out are os apart. Each sum goes by rising j.
func (p *Path) mulPanels(out []float32, os int, w panelsOf, x []float32, xs, n, k int) {
	if t := p.tiles[w.precision]; t != nil {
		packing := &packings[w.precision]
		t.mul(packing, out, os, w.data, w.stride*packing.bytes, w.count, bytesOf(x), 4*xs, n, k)
		return
	}
	size := int(w.precision.Bytes(lanes))
	for i := range w.count {
		panel := w.data[i*w.stride*size:][:k*size]
		for r := range n {
			plainPanel(out[r*os+i*lanes:][:lanes], w.precision, panel, x[r*xs:][:k])
		}
	}
}

func plainPanel(out []float32, p models.Precision, panel []byte, x []float32) {
	var row [lanes]float32
	size := len(panel) / len(x)
	clear(out)
	for j, v := range x {
		Dequantize(row[:], p, panel[j*size:][:size])
		for l, w := range row {
			out[l] += v * w
		}
	}
}
