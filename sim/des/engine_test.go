package des_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard/sim/des"
)

// A naive engine: a list, searched for its least element.
type naive struct {
	now    time.Duration
	seq    int
	events []naiveEvent
}

type naiveEvent struct {
	at         time.Duration
	seq, value int
}

func (n *naive) at(t time.Duration, value int) int {
	n.seq++
	n.events = append(n.events, naiveEvent{t, n.seq, value})
	return n.seq
}

func (n *naive) next() (int, bool) {
	if len(n.events) == 0 {
		return 0, false
	}
	least := slices.MinFunc(n.events, func(a, b naiveEvent) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq))
	})
	n.cancel(least.seq)
	n.now = least.at
	return least.value, true
}

func (n *naive) cancel(seq int) bool {
	before := len(n.events)
	n.events = slices.DeleteFunc(n.events, func(e naiveEvent) bool { return e.seq == seq })
	return len(n.events) < before
}

func (n *naive) move(seq int, t time.Duration) int {
	i := slices.IndexFunc(n.events, func(e naiveEvent) bool { return e.seq == seq })
	if i < 0 {
		return 0
	}
	v := n.events[i].value
	n.cancel(seq)
	return n.at(t, v)
}

// A both is the engine and the list, to be driven with the same steps.
type both struct {
	engine  des.Engine[int]
	naive   naive
	handles []des.Handle
	seqs    []int // in the list, of the handles
}

func (b *both) at(when time.Duration, value int) {
	b.handles, b.seqs = append(b.handles, b.engine.At(when, value)), append(b.seqs, b.naive.at(when, value))
}

// next takes an event; it returns whether there was one.
func (b *both) next(t *rapid.T) bool {
	want, wantOK := b.naive.next()
	at, peeked := b.engine.Peek()
	got, ok := b.engine.Next()
	if got != want || ok != wantOK || peeked != ok || b.engine.Now() != b.naive.now || ok && at != b.naive.now {
		t.Fatalf("Next = %d %v at %v, peeked %v %v, want %d %v at %v", got, ok, b.engine.Now(), at, peeked, want, wantOK, b.naive.now)
	}
	return ok
}

func (b *both) cancel(t *rapid.T, i int) {
	if got, want := b.engine.Cancel(b.handles[i]), b.naive.cancel(b.seqs[i]); got != want {
		t.Fatalf("Cancel = %v, want %v", got, want)
	}
}

func (b *both) move(t *rapid.T, i int, when time.Duration) {
	h, s := b.engine.Move(b.handles[i], when), b.naive.move(b.seqs[i], when)
	if (h == 0) != (s == 0) {
		t.Fatalf("Move = %v, want event %d", h, s)
	}
	if h != 0 {
		b.handles[i], b.seqs[i] = h, s
	}
}

// TestAgainstNaive drives the engine and the list with the same random steps.
func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b both
		steps := rapid.IntRange(1, 600).Draw(t, "steps")
		eager := rapid.IntRange(2, 8).Draw(t, "cancels per event taken")
		for step := range steps {
			when := b.engine.Now() + time.Duration(rapid.IntRange(0, 20).Draw(t, "after"))
			switch op := rapid.IntRange(0, 4+eager).Draw(t, "op"); {
			case op <= 3:
				b.at(when, step)
			case op == 4:
				b.next(t)
			case len(b.handles) > 0:
				i := rapid.IntRange(0, len(b.handles)-1).Draw(t, "handle")
				if op%2 == 0 {
					b.cancel(t, i)
				} else {
					b.move(t, i, when)
				}
			}
			if b.engine.Len() != len(b.naive.events) {
				t.Fatalf("Len = %d, want %d", b.engine.Len(), len(b.naive.events))
			}
		}
		for b.next(t) {
		}
	})
}

// TestManyCancelled makes the engine sweep, and checks that its memory is bounded by what is pending.
func TestManyCancelled(t *testing.T) {
	var e des.Engine[int]
	keep := e.At(time.Hour, -1)
	h := e.At(time.Second, 7)
	for i := range 100_000 {
		h = e.Move(h, time.Second+time.Duration(i%1000))
	}
	if e.Len() != 2 {
		t.Fatalf("Len = %d, want 2", e.Len())
	}
	if n := e.Keys(); n > 256 {
		t.Errorf("%d keys for 2 events", n)
	}
	if v, ok := e.Next(); v != 7 || !ok {
		t.Errorf("Next = %d %v, want 7", v, ok)
	}
	if e.Cancel(h) || !e.Cancel(keep) || e.Cancel(keep) || e.Cancel(0) {
		t.Error("Cancel of a past, a pending, a cancelled and no event: want false, true, false, false")
	}
	if _, ok := e.Next(); ok {
		t.Error("Next returned a cancelled event")
	}
}

func TestPastPanics(t *testing.T) {
	var e des.Engine[int]
	e.At(5, 1)
	e.Next()
	defer func() {
		if got, want := recover(), "des: event at 4ns scheduled at 5ns"; got != want {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	e.At(4, 2)
}

func TestNoAllocationPerEvent(t *testing.T) {
	var e des.Engine[[2]int]
	for i := range 1000 {
		e.At(time.Duration(i), [2]int{i})
	}
	if n := testing.AllocsPerRun(1000, func() {
		v, _ := e.Next()
		e.Cancel(e.After(3, v))
		e.After(time.Duration(v[0]%977), v)
	}); n > 0 {
		t.Errorf("%v allocations per event, want 0", n)
	}
}
