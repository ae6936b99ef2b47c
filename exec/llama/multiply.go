package llama

import "github.com/edgeshard/edgeshard/exec/kernel"

// A product is a matrix and where its rows go.
type product struct {
	m   *kernel.Matrix
	out []float32
}

// productTask is how many matrix rows a thread takes at a time.
const productTask = 64

func (p product) tasks() int { return (p.m.Rows + productTask - 1) / productTask }

// multiply computes several products of the same rows x in one parallel loop.
func (w *workspace) multiply(x []float32, products ...product) {
	w.source = x
	w.products = append(w.products[:0], products...)
	w.convert()
	tasks, work := 0, 0
	for _, p := range products {
		tasks += p.tasks()
		work += p.m.Rows * p.m.Cols * w.rows
	}
	w.run(tasks, work, w.loops.product)
}

// convert brings the source to the forms that the products' matrices want.
func (w *workspace) convert() {
	for i := range w.inputs {
		w.inputs[i].Clear()
	}
	for _, p := range w.products {
		w.input(p).Resize(w.s.path, p.m.Precision, w.rows, p.m.Cols)
	}
	w.eachRow(w.loops.convert)
}

func (w *workspace) input(p product) *kernel.Activations {
	return &w.inputs[kernel.FormOf(p.m.Precision)]
}

func (w *workspace) convertRows(lo, hi int) {
	for i := range w.inputs {
		w.inputs[i].Set(w.source, lo, hi)
	}
}

func (w *workspace) multiplyTask(_, task int) {
	for _, p := range w.products {
		if n := p.tasks(); task >= n {
			task -= n
			continue
		}
		lo := task * productTask
		p.m.Mul(p.out, w.input(p), lo, min(lo+productTask, p.m.Rows))
		return
	}
}
