package des_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/sim/des"
)

// The hold model: with n events pending, each event taken schedules one more, an
// exponential time later (Jones, CACM 29(4), 1986).
type event struct {
	target uint64
	value  uint64
}

// delays are drawn beforehand, so that no generator is measured.
func delays() []time.Duration {
	rng := rand.New(rand.NewPCG(1, 2))
	d := make([]time.Duration, 1<<16)
	for i := range d {
		d[i] = time.Duration(rng.ExpFloat64() * 1e6)
	}
	return d
}

func BenchmarkHold(b *testing.B) {
	d := delays()
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("des/pending=%d", n), func(b *testing.B) { holdEngine(b, d, n) })
		b.Run(fmt.Sprintf("container-heap/pending=%d", n), func(b *testing.B) { holdContainerHeap(b, d, n) })
	}
}

func report(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
}

func holdEngine(b *testing.B, d []time.Duration, n int) {
	var e des.Engine[event]
	for i := range n {
		e.At(d[i&0xffff], event{target: uint64(i)})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		v, _ := e.Next()
		v.value++
		e.After(d[i&0xffff], v)
	}
	report(b)
}

// The pointer heap most simulators start from.
type pointerHeap []*pointerEvent

type pointerEvent struct {
	at  time.Duration
	seq int
	event
}

func (h pointerHeap) Len() int { return len(h) }
func (h pointerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h pointerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *pointerHeap) Push(x any)   { *h = append(*h, x.(*pointerEvent)) }
func (h *pointerHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func holdContainerHeap(b *testing.B, d []time.Duration, n int) {
	var h pointerHeap
	for i := range n {
		heap.Push(&h, &pointerEvent{at: d[i&0xffff], seq: i})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		v := heap.Pop(&h).(*pointerEvent)
		heap.Push(&h, &pointerEvent{at: v.at + d[i&0xffff], seq: n + i, event: v.event})
	}
	report(b)
}

// BenchmarkMove measures rescheduling, as links do when flows come and go.
func BenchmarkMove(b *testing.B) {
	d := delays()
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("pending=%d", n), func(b *testing.B) {
			var e des.Engine[event]
			handles := make([]des.Handle, n)
			for i := range handles {
				handles[i] = e.At(d[i&0xffff], event{})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				h := &handles[i%n]
				*h = e.Move(*h, d[i*7&0xffff])
			}
			report(b)
		})
	}
}
