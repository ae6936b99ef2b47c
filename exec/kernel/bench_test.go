package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/models"
)

// cpuTime returns the processor time of this thread: on a shared machine it says
// more of a kernel than the clock does.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(1, &u); err != nil { // RUSAGE_THREAD
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMul multiplies a 2048×2048 matrix with rows of activations, on one thread.
func BenchmarkMul(b *testing.B) {
	const rows, cols = 2048, 2048
	for _, p := range nativePaths() {
		for precision := range models.Precision(precisions) {
			m := benchMatrix(b, p, precision, rows, cols)
			for _, n := range []int{1, 4, 8, 32, 128, 512} {
				b.Run(fmt.Sprintf("%s/%s/%d", p.name, precision, n), func(b *testing.B) {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					var x Activations
					x.Resize(p, precision, n, cols)
					x.Set(vector(rand.New(rand.NewPCG(1, 1)), n*cols, 1), 0, n)
					out := make([]float32, n*rows)
					b.ResetTimer()
					start := cpuTime()
					for b.Loop() {
						m.Mul(out, &x, 0, rows)
					}
					s := (cpuTime() - start).Seconds() / float64(b.N)
					b.ReportMetric(2*rows*cols*float64(n)/s/1e9, "GFLOP/cpu-s")
					b.ReportMetric(float64(m.Bytes())/s/1e9, "GB/cpu-s")
				})
			}
		}
	}
}

func benchMatrix(tb testing.TB, p *Path, precision models.Precision, rows, cols int) *Matrix {
	data := make([]byte, int64(rows)*precision.Bytes(int64(cols)))
	m, err := p.NewMatrix(models.Tensor{Precision: precision, Rows: rows, Cols: cols, Data: data}, func(n int) []byte {
		mem, err := NewMemory(Piece(n))
		if err != nil {
			tb.Fatal(err)
		}
		return mem.Take(n)
	})
	if err != nil {
		tb.Fatal(err)
	}
	m.Pack(0, rows, data)
	return m
}

// BenchmarkPack packs a 2048×2048 matrix, on one thread.
func BenchmarkPack(b *testing.B) {
	for _, p := range nativePaths() {
		for precision := range models.Precision(precisions) {
			m := benchMatrix(b, p, precision, 2048, 2048)
			rows := make([]byte, m.Rows*m.RowBytes())
			b.Run(fmt.Sprintf("%s/%s", p.name, precision), func(b *testing.B) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				start := cpuTime()
				for b.Loop() {
					m.Pack(0, m.Rows, rows)
				}
				b.ReportMetric(float64(m.Bytes())*float64(b.N)/(cpuTime()-start).Seconds()/1e9, "GB/cpu-s")
			})
		}
	}
}

// BenchmarkStream multiplies a matrix that no cache holds with one row, on one
// thread, beside reading it only.
func BenchmarkStream(b *testing.B) {
	const rows, cols = 33024, 4096
	for _, p := range nativePaths() {
		for precision := range models.Precision(precisions) {
			m := benchMatrix(b, p, precision, rows, cols)
			var x Activations
			x.Resize(p, precision, 1, cols)
			x.Set(vector(rand.New(rand.NewPCG(1, 1)), cols, 1), 0, 1)
			out := make([]float32, rows)
			for _, f := range []struct {
				name string
				run  func()
			}{
				{"mul", func() {
					for lo := 0; lo < rows; lo += 64 {
						m.Mul(out, &x, lo, lo+64)
					}
				}},
				{"mul16", func() {
					for lo := 0; lo < rows; lo += 16 {
						m.Mul(out, &x, lo, lo+16)
					}
				}},
				{"read", func() { p.probes.read[1](&m.panels[0], len(m.panels)/readBlock) }},
			} {
				b.Run(fmt.Sprintf("%s/%s/%s", p.name, precision, f.name), func(b *testing.B) {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					f.run()
					start := cpuTime()
					for b.Loop() {
						f.run()
					}
					b.ReportMetric(float64(m.Bytes())*float64(b.N)/(cpuTime()-start).Seconds()/1e9, "GB/cpu-s")
				})
			}
		}
	}
}
