package edgeshard

import (
	"cmp"
	"container/heap"
	"slices"
)

// A waitlist holds requests that wait for admission: in order of arrival, or the
// ones with the fewest prompt and generated tokens first.
type waitlist struct {
	shortest bool
	requests []Request // a heap where shortest
}

func (w *waitlist) len() int { return len(w.requests) }

func (w *waitlist) add(r Request) {
	if w.shortest {
		heap.Push((*byLength)(&w.requests), r)
		return
	}
	w.requests = append(w.requests, r)
}

// take removes and returns the next n requests, or all.
func (w *waitlist) take(n int) []Request {
	n = min(n, len(w.requests))
	taken := make([]Request, n)
	if w.shortest {
		for i := range taken {
			taken[i] = heap.Pop((*byLength)(&w.requests)).(Request)
		}
		return taken
	}
	copy(taken, w.requests)
	w.requests = w.requests[n:]
	return taken
}

// remove removes the request of an ID and reports whether there was one.
func (w *waitlist) remove(id int) bool {
	i := slices.IndexFunc(w.requests, func(r Request) bool { return r.ID == id })
	if i < 0 {
		return false
	}
	w.requests = slices.Delete(w.requests, i, i+1)
	if w.shortest {
		heap.Init((*byLength)(&w.requests))
	}
	return true
}

// peek returns the next n requests, or all, where they are in order of arrival.
func (w *waitlist) peek(n int) []Request {
	if w.shortest {
		return nil
	}
	return w.requests[:min(n, len(w.requests))]
}

type byLength []Request

var _ heap.Interface = (*byLength)(nil)

func (b byLength) Len() int      { return len(b) }
func (b byLength) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b byLength) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(b[i].Prompt+b[i].Tokens, b[j].Prompt+b[j].Tokens), cmp.Compare(b[i].ID, b[j].ID)) < 0
}
func (b *byLength) Push(x any) { *b = append(*b, x.(Request)) }
func (b *byLength) Pop() any {
	last := len(*b) - 1
	r := (*b)[last]
	*b = slices.Delete(*b, last, last+1)
	return r
}
