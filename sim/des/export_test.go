package des

// Keys returns the length of the heap, cancelled events included.
func (e *Engine[E]) Keys() int { return len(e.keys) }
