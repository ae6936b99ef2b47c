package exec

// spares are buffers of values that passes are done with, for those to come: new
// memory would have to be fetched page by page each time.
type spares chan []float32

// take returns an empty buffer, nil where there is none to spare.
func (s spares) take() []float32 {
	select {
	case b := <-s:
		return b[:0]
	default:
		return nil
	}
}

// give takes a buffer back that nobody uses any more.
func (s spares) give(b []float32) {
	if cap(b) == 0 {
		return
	}
	select {
	case s <- b:
	default:
	}
}
