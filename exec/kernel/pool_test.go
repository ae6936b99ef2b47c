package kernel

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

// Every task is done once, on any number of threads, in passes of several
// goroutines that take turns.
func TestPool(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, threads := range []int{1, 2, 3, 8} {
		p := NewPool(threads)
		if p.Threads() != threads {
			t.Errorf("%d threads, want %d", p.Threads(), threads)
		}
		var passes sync.WaitGroup
		for range 4 {
			passes.Go(func() {
				p.Acquire()
				defer p.Yield()
				for tasks := range 40 {
					done := make([]atomic.Int32, tasks)
					p.Run(tasks, func(thread, i int) {
						if thread < 0 || thread >= threads {
							t.Errorf("thread %d of %d", thread, threads)
						}
						done[i].Add(1)
					})
					for i := range done {
						if n := done[i].Load(); n != 1 {
							t.Errorf("task %d of %d was done %d times", i, tasks, n)
						}
					}
				}
			})
		}
		passes.Wait()
		p.Close()
		p.Close()
	}
}

// A pool that nobody uses uses no processor time.
func TestPoolSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(2)
		defer p.Close()
		p.Acquire()
		p.Run(2, func(_, _ int) {})
		p.Yield()
		synctest.Wait() // for all to sleep, however long they look for work
		if !p.workers[0].asleep.Load() {
			t.Error("the worker is blocked, and not asleep")
		}
	})
}

func BenchmarkPool(b *testing.B) {
	p := NewPool(2)
	defer p.Close()
	p.Acquire()
	defer p.Yield()
	b.ReportAllocs()
	for b.Loop() {
		p.Run(2, func(_, _ int) {})
	}
}
