package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A Pool is a set of threads that persists between parallel loops. Inside a
// pass (Acquire to Yield) an idle thread looks out for the next loop for some
// microseconds before it sleeps; outside of one all sleep.
type Pool struct {
	pass    sync.Mutex
	workers []*worker
	body    func(thread, task int)
	tasks   int64
	next    atomic.Int64
	epoch   atomic.Uint32 // counts loops; it changes after body and tasks are set
	busy    atomic.Int32  // workers still in the loop
	hot     atomic.Bool
	caller  sleeper
	stopped bool
}

type worker struct {
	sleeper
	thread int
}

// NewPool starts a pool of that many threads, the caller of Run counting as
// one; 0 is a thread per CPU.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{caller: newSleeper()}
	for i := 1; i < threads; i++ {
		w := &worker{newSleeper(), i}
		p.workers = append(p.workers, w)
		go p.serve(w)
	}
	return p
}

// Threads returns the number of threads.
func (p *Pool) Threads() int { return len(p.workers) + 1 }

// Acquire waits for the pool and begins a pass; Yield ends it.
func (p *Pool) Acquire() {
	p.pass.Lock()
	p.hot.Store(true)
}

// Yield ends a pass.
func (p *Pool) Yield() {
	p.hot.Store(false)
	p.pass.Unlock()
}

// Close ends the threads. The pool must be idle and not be used again; a second
// Close does nothing.
func (p *Pool) Close() {
	p.Acquire()
	defer p.Yield()
	if !p.stopped {
		p.stopped = true
		p.start(nil, 0)
	}
}

// Run calls body(thread, task) for every task in [0, tasks), in any order and on
// all threads at once, and returns when all are done. It must be called within
// a pass; body must not call it.
func (p *Pool) Run(tasks int, body func(thread, task int)) {
	if len(p.workers) == 0 || tasks <= 1 {
		for i := range tasks {
			body(0, i)
		}
		return
	}
	p.start(body, tasks)
	p.drain(0)
	p.caller.wait(func() bool { return p.busy.Load() == 0 }, true)
}

func (p *Pool) start(body func(thread, task int), tasks int) {
	p.body, p.tasks = body, int64(tasks)
	p.next.Store(0)
	p.busy.Store(int32(len(p.workers)))
	p.epoch.Add(1)
	for _, w := range p.workers {
		w.wake()
	}
}

func (p *Pool) drain(thread int) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.tasks {
			return
		}
		p.body(thread, int(i))
	}
}

func (p *Pool) serve(w *worker) {
	var seen uint32
	changed := func() bool { return p.epoch.Load() != seen }
	for {
		w.wait(changed, p.hot.Load())
		seen++
		if p.body == nil {
			return
		}
		p.drain(w.thread)
		if p.busy.Add(-1) == 0 {
			p.caller.wake()
		}
	}
}

// A sleeper waits for a condition that another goroutine makes true before it
// calls wake.
type sleeper struct {
	asleep *atomic.Bool
	bell   chan struct{}
}

func newSleeper() sleeper { return sleeper{new(atomic.Bool), make(chan struct{}, 1)} }

// spins is how often a hot waiter looks before it sleeps, for some 50 µs.
const spins = 256

func (s *sleeper) wait(done func() bool, hot bool) {
	for i := 0; hot && i < spins; i++ {
		if done() {
			return
		}
		pause()
	}
	for !done() {
		s.asleep.Store(true)
		if done() && s.asleep.CompareAndSwap(true, false) {
			return
		}
		<-s.bell
	}
}

func (s *sleeper) wake() {
	if s.asleep.CompareAndSwap(true, false) {
		s.bell <- struct{}{}
	}
}
