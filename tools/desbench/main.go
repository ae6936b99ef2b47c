// Command desbench compares engines for discrete-event simulation by the hold
// model: with some events pending, each one taken schedules another, a random
// time later. See run.sh.
package main

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/edgeshard/edgeshard/sim/des"
)

// delays are drawn beforehand, so that no generator is measured.
var delays = func() []time.Duration {
	rng := rand.New(rand.NewPCG(1, 2))
	d := make([]time.Duration, 1<<16)
	for i := range d {
		d[i] = time.Duration(rng.ExpFloat64() * 1e6)
	}
	return d
}()

func delay(i int) time.Duration { return delays[i&0xffff] }

type payload struct {
	kind, target uint32
	value        uint64
}

func main() {
	for _, pending := range []int{1000, 100_000} {
		for _, e := range []struct {
			name   string
			events int
			hold   func(pending, events int)
		}{
			{"sim/des", 10_000_000, holdDES},
			{"container/heap, pointer events", 3_000_000, holdHeap},
		} {
			best := 0.0
			for range 3 {
				start := cpu()
				e.hold(pending, e.events)
				best = max(best, float64(e.events)/(cpu()-start).Seconds())
			}
			fmt.Printf("%-32s %7d pending %8.2f M events/s of CPU\n", e.name, pending, best/1e6)
		}
	}
}

// cpu returns the CPU time of this process: unlike the clock, it does not count
// what others do on the machine.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func holdDES(pending, events int) {
	var e des.Engine[payload]
	for i := range pending {
		e.At(delay(i), payload{target: uint32(i)})
	}
	for i := range events {
		v, _ := e.Next()
		v.value++
		e.After(delay(i), v)
	}
}

type pointerEvent struct {
	at  time.Duration
	seq int
	payload
}

type pointerHeap []*pointerEvent

func (h pointerHeap) Len() int { return len(h) }
func (h pointerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h pointerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *pointerHeap) Push(x any)   { *h = append(*h, x.(*pointerEvent)) }
func (h *pointerHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

func holdHeap(pending, events int) {
	var h pointerHeap
	for i := range pending {
		heap.Push(&h, &pointerEvent{at: delay(i), seq: i})
	}
	for i := range events {
		v := heap.Pop(&h).(*pointerEvent)
		heap.Push(&h, &pointerEvent{at: v.at + delay(i), seq: pending + i, payload: v.payload})
	}
}
