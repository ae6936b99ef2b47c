package kernel

import "unsafe"

// A Memory is a region that is given out piece by piece and freed at once. Large
// ones lie outside the garbage-collected heap, on huge pages where the system
// has them: a matrix is then read half as fast again.
type Memory struct {
	all   []byte
	free  []byte
	unmap func()
}

// align is what pieces are aligned to: a cache line.
const align = lineBytes

// hugePage is the size of a huge page on the systems that we know.
const hugePage = 2 << 20

// NewMemory allocates a region of that many zero bytes.
func NewMemory(bytes int) (*Memory, error) {
	m := &Memory{unmap: func() {}}
	if bytes < hugePage {
		m.all = make([]byte, bytes+align)
		m.free = aligned(m.all, align)
		return m, nil
	}
	var err error
	m.all, m.unmap, err = mapHuge(bytes + hugePage)
	m.free = aligned(m.all, hugePage)
	return m, err
}

func aligned(b []byte, to int) []byte {
	at := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	return b[roundUp(at, to)-at:]
}

// Reset makes all of the region zero and to be given out anew; no piece may be used
// any more.
func (m *Memory) Reset() {
	clear(m.all)
	to := align
	if len(m.all) > hugePage {
		to = hugePage
	}
	m.free = aligned(m.all, to)
}

// Take returns the next piece. It panics if the region is used up; a caller
// should have summed Piece over all.
func (m *Memory) Take(bytes int) []byte {
	piece := m.free[:bytes:bytes]
	m.free = m.free[Piece(bytes):]
	return piece
}

// Piece returns what a piece of that many bytes takes of a region.
func Piece(bytes int) int { return roundUp(bytes, align) }

// Free gives the region back; no piece may be used any more.
func (m *Memory) Free() {
	m.unmap()
	m.all, m.free, m.unmap = nil, nil, func() {}
}

func floats(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

func bytesOf(f []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))
}
