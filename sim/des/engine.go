// Package des is an engine for discrete-event simulation: a clock and the events
// still to come, in order of time and, at one time, of their scheduling.
//
// Events are values of a type of the caller's choice and are handed back by
// Next; the engine calls nothing. There is no goroutine per process and no
// allocation per event.
package des

import (
	"fmt"
	"math/bits"
	"time"
)

// An Engine holds events of type E until their time. The zero value is ready
// for use and stands at time 0.
//
// Its heap has four children to a node, keyed by (time, sequence) in 16 bytes,
// so that the children of a node are one cache line. Events lie beside it, in
// slots. A cancelled event leaves its key in the heap, to be passed over when it
// comes up, or swept out when such keys are more than half.
type Engine[E any] struct {
	now   time.Duration
	keys  []key // keys[root:] is the heap; the first ones only align it
	slots []slot[E]
	free  []uint32 // slots without an event
	seq   uint64   // of the event scheduled last
	stale int      // keys of cancelled events
	// hole says that the root's event has been handed out and its key is still
	// there: the next event scheduled takes its place, which spares a removal.
	hole bool
}

// A Handle names a scheduled event; the zero Handle names none. A handle is
// never used again for another event.
type Handle uint64

type key struct {
	at uint64 // time
	id uint64 // sequence << slotBits | slot
}

type slot[E any] struct {
	id    uint64 // of the key that stands for the event; 0 when there is none
	event E
}

const (
	slotBits = 24
	slotMask = 1<<slotBits - 1
	root     = 3 // children of i are 4(i-2) … 4(i-2)+3, its parent is i/4+2
)

// less is 1 where a comes before b and 0 elsewhere, without a branch.
func less(a, b *key) uint64 {
	_, borrow := bits.Sub64(a.id, b.id, 0)
	_, borrow = bits.Sub64(a.at, b.at, borrow)
	return borrow
}

// Now returns the time of the event that Next returned last.
func (e *Engine[E]) Now() time.Duration { return e.now }

// Len returns the number of events still to come.
func (e *Engine[E]) Len() int { return len(e.slots) - len(e.free) }

// After schedules an event d from now.
func (e *Engine[E]) After(d time.Duration, event E) Handle { return e.At(e.now+d, event) }

// At schedules an event. It panics if t has passed, and if more than 2^24
// events would be pending.
func (e *Engine[E]) At(t time.Duration, event E) Handle {
	if t < e.now {
		panic(fmt.Sprintf("des: event at %v scheduled at %v", t, e.now))
	}
	e.seq++
	s := e.slot()
	id := e.seq<<slotBits | uint64(s)
	e.slots[s] = slot[E]{id: id, event: event}
	e.push(key{at: uint64(t), id: id})
	return Handle(id)
}

func (e *Engine[E]) slot() uint32 {
	if n := len(e.free); n > 0 {
		s := e.free[n-1]
		e.free = e.free[:n-1]
		return s
	}
	if len(e.slots) > slotMask {
		panic("des: more than 2^24 events pending")
	}
	e.slots = append(e.slots, slot[E]{})
	return uint32(len(e.slots) - 1)
}

// Cancel drops a scheduled event and reports whether it was still to come.
func (e *Engine[E]) Cancel(h Handle) bool {
	s := uint32(h & slotMask)
	if h == 0 || e.slots[s].id != uint64(h) {
		return false
	}
	e.release(s)
	if e.stale++; e.stale > 64 && e.stale > len(e.keys)/2 {
		e.sweep()
	}
	return true
}

func (e *Engine[E]) release(s uint32) {
	e.slots[s] = slot[E]{}
	e.free = append(e.free, s)
}

// Move schedules the event of h for another time, as if it were scheduled now,
// and returns its new handle: the zero one if the event was not to come.
func (e *Engine[E]) Move(h Handle, t time.Duration) Handle {
	s := h & slotMask
	if h == 0 || e.slots[s].id != uint64(h) {
		return 0
	}
	event := e.slots[s].event
	e.Cancel(h)
	return e.At(t, event)
}

// Next advances the clock to the next event and returns it; false when there is none.
func (e *Engine[E]) Next() (event E, ok bool) {
	for e.settle(); len(e.keys) > root; e.settle() {
		k := e.keys[root]
		e.hole = true
		s := uint32(k.id & slotMask)
		if e.slots[s].id != k.id {
			e.stale--
			continue
		}
		e.now = time.Duration(k.at)
		event = e.slots[s].event
		e.release(s)
		return event, true
	}
	return event, false
}

// Peek returns the time of the next event; false when there is none.
func (e *Engine[E]) Peek() (t time.Duration, ok bool) {
	for e.settle(); len(e.keys) > root; e.settle() {
		k := e.keys[root]
		if e.slots[k.id&slotMask].id == k.id {
			return time.Duration(k.at), true
		}
		e.stale--
		e.hole = true
	}
	return 0, false
}

// Advance moves the clock to t, which has not passed and which no event precedes.
func (e *Engine[E]) Advance(t time.Duration) {
	if next, ok := e.Peek(); t < e.now || ok && next < t {
		panic(fmt.Sprintf("des: clock moved to %v at %v with an event at %v", t, e.now, next))
	}
	e.now = t
}
