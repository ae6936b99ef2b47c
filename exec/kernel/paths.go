package kernel

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard/models"
)

// Variable is the environment variable that names the path to use, so that a
// cluster of unlike machines can be pinned to one.
const Variable = "EDGESHARD_KERNEL"

// Paths returns the paths that this CPU can run, the plain one first.
func Paths() []*Path { return append([]*Path{Plain}, nativePaths()...) }

// Named returns the path of that name.
func Named(name string) (*Path, error) {
	var names []string
	for _, p := range Paths() {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return nil, fmt.Errorf("kernel path %q: this CPU has %s", name, strings.Join(names, ", "))
}

// Default returns the path that Variable names, or else the one that is fastest
// on this CPU, which it finds out by measuring for some milliseconds, once.
func Default() (*Path, error) { return choose() }

var choose = sync.OnceValues(func() (*Path, error) {
	if name := os.Getenv(Variable); name != "" {
		return Named(name)
	}
	best, least := Plain, time.Duration(0)
	for _, p := range nativePaths() {
		if t := p.trial(); best == Plain || t < least {
			best, least = p, t
		}
	}
	return best, nil
})

// trial multiplies a small matrix of each precision, one row and several at a
// time, and returns the time that the best of some runs took.
func (p *Path) trial() (total time.Duration) {
	const rows, cols, runs = 64, 512, 5
	for precision := range models.Precision(precisions) {
		t := models.Tensor{Precision: precision, Rows: rows, Cols: cols, Data: make([]byte, rows*precision.Bytes(cols))}
		m, err := p.NewMatrix(t, func(n int) []byte { return make([]byte, n) })
		if err != nil {
			panic(err) // the tensor is well made
		}
		m.Pack(0, rows, t.Data)
		for _, n := range []int{1, maxCols} {
			var x Activations
			x.Resize(p, precision, n, cols)
			x.Set(make([]float32, n*cols), 0, n)
			out, best := make([]float32, n*rows), time.Duration(1<<62)
			for range runs {
				start := time.Now()
				m.Mul(out, &x, 0, rows)
				best = min(best, time.Since(start))
			}
			total += best
		}
	}
	return total
}
