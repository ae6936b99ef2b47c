package kernel

import (
	"math"

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
	a.path.mulPanels(a.scores, padded, c.headKeys(h), dim*lanes, padded/lanes, a.queries, dim, cols, dim)
	for i := range cols {
		row := a.scores[i*padded:][:padded]
		seen := past + i/group + 1
		for j := seen; j < padded; j++ {
			row[j] = float32(math.Inf(-1))
		}
		a.path.ops.softmax(row)
		clear(row[seen:]) // exactly zero, though the path's exp may not be
	}
	a.path.mulPanels(a.sums, wide, c.headValues(h), c.Positions*lanes, wide/lanes, a.scores, padded, cols, length)
	for i := range cols {
		copy(out[i/group*stride+i%group*dim:][:dim], a.sums[i*wide:])
	}
}

// mulPanels computes out[i][16·p+l] = Σ_j w[p][j][l] · x[i][j] for n rows x of k
// elements, xs apart, and panels of weights, ws apart; rows of out are os apart.
// Each sum goes by rising j.
func (p *Path) mulPanels(out []float32, os int, w []float32, ws, panels int, x []float32, xs, n, k int) {
	if t := p.tiles[models.F32]; t != nil {
		t.mul(&packings[models.F32], out, os, bytesOf(w), 4*ws, panels, bytesOf(x), 4*xs, n, k)
		return
	}
	plainPanels(out, os, w, ws, panels, x, xs, n, k)
}

func plainPanels(out []float32, os int, w []float32, ws, panels int, x []float32, xs, n, k int) {
	for p := range panels {
		panel := w[p*ws:][:k*lanes]
		for i := range n {
			var acc [lanes]float32
			for j, v := range x[i*xs:][:k] {
				row := panel[j*lanes:][:lanes]
				for l := range acc {
					acc[l] += v * row[l]
				}
			}
			copy(out[i*os+p*lanes:], acc[:])
		}
	}
}
