package des

// A Queue is first in, first out, in a ring that grows. The zero value is empty.
type Queue[T any] struct {
	ring  []T // length a power of two
	first int
	n     int
}

// Len returns the number of elements.
func (q *Queue[T]) Len() int { return q.n }

// Push adds an element at the end.
func (q *Queue[T]) Push(v T) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.first+q.n)&(len(q.ring)-1)] = v
	q.n++
}

// Pop removes and returns the first element. It panics on an empty queue.
func (q *Queue[T]) Pop() T {
	if q.n == 0 {
		panic("des: Pop of an empty queue")
	}
	v := q.ring[q.first]
	var zero T
	q.ring[q.first] = zero
	q.first = (q.first + 1) & (len(q.ring) - 1)
	q.n--
	return v
}

func (q *Queue[T]) grow() {
	ring := make([]T, max(4, 2*len(q.ring)))
	k := copy(ring, q.ring[q.first:])
	copy(ring[k:], q.ring[:q.first])
	q.ring, q.first = ring, 0
}
