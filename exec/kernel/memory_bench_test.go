package kernel

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/models"
)

// A streamed is a matrix that no cache holds, with rows of activations for it.
type streamed struct {
	*Matrix
	pool *Pool
	x    Activations
	out  []float32
}

func newStreamed(b *testing.B, p *Path, precision models.Precision, mib, threads, n int) *streamed {
	const cols = 4096
	rows := int(int64(mib)<<20/precision.Bytes(cols)) / 64 * 64
	s := &streamed{Matrix: benchMatrix(b, p, precision, rows, cols), pool: NewPool(threads), out: make([]float32, n*rows)}
	b.Cleanup(s.pool.Close)
	s.set(n)
	return s
}

// set draws n rows of activations.
func (s *streamed) set(n int) {
	s.x.Resize(s.path, s.Precision, n, s.Cols)
	s.x.Set(vector(rand.New(rand.NewPCG(1, 1)), n*s.Cols, 1), 0, n)
}

// mul multiplies as a shard does.
func (s *streamed) mul() {
	s.pool.Acquire()
	defer s.pool.Yield()
	s.pool.Run(s.Rows/64, func(_, task int) { s.Mul(s.out, &s.x, 64*task, 64*task+64) })
}

// BenchmarkFew multiplies 192 MiB of weights with one row and with some, in turn.
// Metrics are the best GB/s of weights with each number of rows.
func BenchmarkFew(b *testing.B) {
	few := []int{1, 2, 4, 6, 8}
	for _, p := range nativePaths() {
		for precision := range models.Precision(precisions) {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", p.name, precision, threads), func(b *testing.B) {
					s := newStreamed(b, p, precision, 192, threads, few[len(few)-1])
					best := map[int]time.Duration{}
					for b.Loop() {
						for _, n := range few {
							s.set(n)
							start := time.Now()
							s.mul()
							if t := time.Since(start); best[n] == 0 || t < best[n] {
								best[n] = t
							}
						}
					}
					for _, n := range few {
						b.ReportMetric(float64(s.Bytes())/best[n].Seconds()/1e9, fmt.Sprintf("GB/s×%d", n))
					}
				})
			}
		}
	}
}

// BenchmarkAfterStream times what a program does when 512 MiB of weights have gone
// by since it last did it: reading a set of lines, in no order, and exchanging a
// message over TCP.
func BenchmarkAfterStream(b *testing.B) {
	paths := nativePaths()
	s := newStreamed(b, paths[len(paths)-1], models.Q8_0, 512, 1, 1)
	bench := func(name string, do func()) {
		for _, between := range []struct {
			name string
			do   func()
		}{{"hot", func() {}}, {"streamed", s.mul}} {
			b.Run(name+"/"+between.name, func(b *testing.B) {
				var total time.Duration
				for b.Loop() {
					for range 4 {
						do()
					}
					between.do()
					start := time.Now()
					do()
					total += time.Since(start)
				}
				b.ReportMetric(float64(total.Microseconds())/float64(b.N), "µs")
			})
		}
	}
	for _, kib := range []int{256, 1024, 4096} {
		bench(fmt.Sprintf("%dKiB", kib), walk(kib<<10))
	}
	bench("tcp", exchange(b))
}

var walked uint64

// walk returns a function that follows a random cycle through the lines of as many bytes.
func walk(bytes int) func() {
	next := make([]uint64, bytes/8)
	order := rand.New(rand.NewPCG(1, 1)).Perm(bytes / lineBytes)
	for i, line := range order {
		next[8*line] = uint64(8 * order[(i+1)%len(order)])
	}
	return func() {
		at := walked
		for range order {
			at = next[at]
		}
		walked = at
	}
}

// exchange returns a function that sends 8 KiB over loopback and gets them back.
func exchange(b *testing.B) func() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close(); l.Close() })
	message := make([]byte, 8<<10)
	return func() {
		if _, err := c.Write(message); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, message); err != nil {
			b.Fatal(err)
		}
	}
}
