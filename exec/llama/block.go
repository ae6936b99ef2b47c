package llama

import (
	"github.com/edgeshard/edgeshard/exec/kernel"
)

// loops are the bodies of the parallel loops, made once so that a pass allocates
// nothing. Those of rows are called with a range of rows.
type loops struct {
	rows, product, attend      func(thread, task int)
	norm, addNorm, add, rotate func(lo, hi int)
	activate, convert          func(lo, hi int)
}

func (w *workspace) newLoops() loops {
	return loops{
		rows: w.runRows, product: w.multiplyTask, attend: w.attendTask,
		norm: w.normRows, addNorm: w.addNormRows, add: w.addRows, rotate: w.rotateRows,
		activate: w.activateRows, convert: w.convertRows,
	}
}

// block runs the rows of the pass through decoder block i of the shard.
func (w *workspace) block(b *block, i int) {
	w.cache = i
	w.norms = b.attnNorm
	w.eachRow(w.loops.norm)
	w.multiply(w.h, product{b.q, w.q}, product{b.k, w.k}, product{b.v, w.v})
	w.eachRow(w.loops.rotate)
	w.run(len(w.tiles)*w.s.config.KVHeads, w.attentionWork(), w.loops.attend)
	w.multiply(w.attended, product{b.o, w.h})
	w.norms = b.ffnNorm
	w.eachRow(w.loops.addNorm)
	w.multiply(w.h, product{b.gate, w.gate}, product{b.up, w.up})
	w.eachRow(w.loops.activate)
	w.multiply(w.gate, product{b.down, w.h})
	w.eachRow(w.loops.add)
}

// logits computes the output head over the last row of each sequence.
func (w *workspace) logits(h *head) []float32 {
	dim := w.s.config.Dim
	for i, p := range w.parts {
		copy(w.x[i*dim:][:dim], w.x[(p.row+p.n-1)*dim:])
	}
	w.rows = len(w.parts)
	w.norms = h.norm
	w.eachRow(w.loops.norm)
	w.multiply(w.h, product{h.output, w.out})
	return w.out[:w.rows*w.s.config.Vocab]
}

// rowTask is how many rows a thread takes at a time.
const rowTask = 4

func (w *workspace) eachRow(body func(lo, hi int)) {
	w.span = body
	w.run((w.rows+rowTask-1)/rowTask, 8*w.rows*w.s.config.Dim, w.loops.rows)
}

// parallelWork is how many multiply-adds pay for waking the other threads.
const parallelWork = 1 << 17

// run calls body for every task, on all threads if there is work enough.
func (w *workspace) run(tasks, work int, body func(thread, task int)) {
	if work >= parallelWork {
		w.s.pool.Run(tasks, body)
		return
	}
	for i := range tasks {
		body(0, i)
	}
}

func (w *workspace) runRows(_, task int) {
	w.span(task*rowTask, min((task+1)*rowTask, w.rows))
}

func (w *workspace) normRows(lo, hi int) {
	dim := w.s.config.Dim
	for i := lo; i < hi; i++ {
		w.s.path.RMSNorm(w.h[i*dim:][:dim], w.x[i*dim:][:dim], w.norms, w.s.config.NormEps)
	}
}

func (w *workspace) addRows(lo, hi int) {
	dim := w.s.config.Dim
	for i := lo; i < hi; i++ {
		w.s.path.Add(w.x[i*dim:][:dim], w.h[i*dim:][:dim])
	}
}

func (w *workspace) addNormRows(lo, hi int) {
	w.addRows(lo, hi)
	w.normRows(lo, hi)
}

func (w *workspace) activateRows(lo, hi int) {
	n := w.s.config.Hidden
	for i := lo; i < hi; i++ {
		w.s.path.SwiGLU(w.gate[i*n:][:n], w.up[i*n:][:n])
	}
}

// rotateRows turns queries and keys to their positions and fills the KV caches.
func (w *workspace) rotateRows(lo, hi int) {
	dim, kv := w.s.config.Dim, w.s.config.KVDim()
	for _, p := range w.parts {
		for i := max(lo, p.row); i < min(hi, p.row+p.n); i++ {
			pos := p.past + i - p.row
			k, v := w.k[i*kv:][:kv], w.v[i*kv:][:kv]
			w.s.rope.Rotate(w.q[i*dim:][:dim], pos)
			w.s.rope.Rotate(k, pos)
			p.seq.blocks[w.cache].Store(pos, k, v)
		}
	}
}

// A tile is a run of a sequence's rows that attend together.
type tile struct {
	seq          *sequence
	past, n, row int
}

// add lays out n new rows of a sequence, after those added before.
func (w *workspace) add(q *sequence, past, n int) {
	row := 0
	if last := len(w.parts) - 1; last >= 0 {
		row = w.parts[last].row + w.parts[last].n
	}
	w.parts = append(w.parts, part{q, past, n, row})
	step := kernel.AttendRows(w.s.config.Heads / w.s.config.KVHeads)
	for i := 0; i < n; i += step {
		w.tiles = append(w.tiles, tile{q, past + i, min(step, n-i), row + i})
	}
}

// attentionWork returns the multiply-adds of the pass's attention.
func (w *workspace) attentionWork() (n int) {
	for _, t := range w.tiles {
		n += 2 * t.n * (t.past + t.n) * w.s.config.Dim
	}
	return n
}

func (w *workspace) attendTask(thread, task int) {
	c := w.s.config
	t, h := w.tiles[task/c.KVHeads], task%c.KVHeads
	out, q := w.attended[t.row*c.Dim:], w.q[t.row*c.Dim:]
	w.threads[thread].Attend(out, q, c.Dim, t.seq.blocks[w.cache], h, c.Heads/c.KVHeads, t.past, t.n)
}
