package llama

import (
	"fmt"

	"github.com/edgeshard/edgeshard/exec/kernel"
)

// A sequence is the KV cache of one sequence in every block of the shard.
type sequence struct {
	blocks    []*kernel.Cache
	memory    *kernel.Memory
	room      int // bytes of memory
	length    int // positions filled
	positions int // positions reserved
}

func (q *sequence) bytes() (n int64) {
	for _, c := range q.blocks {
		n += int64(c.Bytes())
	}
	return n
}

// Reserve allocates the KV cache of a sequence of up to positions tokens, in
// full. It fails if the sequence has one, or beyond the model's context.
func (s *Shard) Reserve(seq, positions int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.caches[seq]; ok {
		return fmt.Errorf("sequence %d has a KV cache already", seq)
	}
	if positions < 1 || positions > s.config.Context {
		return fmt.Errorf("sequence %d: %d positions: model %s has a context of %d", seq, positions, s.config.Name, s.config.Context)
	}
	shape := s.cacheShape(positions)
	memory, room, err := s.spare.take(len(s.blocks) * kernel.Piece(shape.Bytes()))
	if err != nil {
		return fmt.Errorf("sequence %d: KV cache: %w", seq, err)
	}
	q := &sequence{positions: positions, memory: memory, room: room}
	for range s.blocks {
		q.blocks = append(q.blocks, shape.New(memory.Take(shape.Bytes())))
	}
	s.caches[seq] = q
	return nil
}

func (s *Shard) cacheShape(positions int) kernel.CacheShape {
	return kernel.CacheShape{Precision: s.kv, Heads: s.config.KVHeads, Dim: s.config.HeadDim(), Positions: positions}
}

// Prepare fetches memory for the KV caches of some sequences to come, for as many of
// them as mostSpare is enough.
func (s *Shard) Prepare(sequences, positions int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes := len(s.blocks) * kernel.Piece(s.cacheShape(positions).Bytes())
	if bytes == 0 {
		return nil
	}
	for range min(sequences, spareCaches, mostSpare/bytes) {
		m, err := kernel.NewMemory(bytes)
		if err != nil {
			return fmt.Errorf("KV caches: %w", err)
		}
		m.Reset() // touches it
		s.spare.give(m, bytes)
	}
	return nil
}

// SpareBytes is the memory that is kept for the next KV caches: the next Reserve
// takes of it, or frees it.
func (s *Shard) SpareBytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(s.spare.bytes) * int64(len(s.spare.memory))
}

// Release frees the KV cache of a sequence, if it has one.
func (s *Shard) Release(seq int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.caches[seq]; q != nil {
		s.spare.give(q.memory, q.room)
		delete(s.caches, seq)
	}
}

const (
	// mostSpare bounds the memory of a KV cache that is kept for the next one: of a
	// larger one most is never touched, and clearing it would take longer than new
	// memory does.
	mostSpare = 32 << 20
	// spareCaches is how many are kept.
	spareCaches = 8
	// mostRoom is how many times the memory that a KV cache needs it may get: all of
	// it is cleared first.
	mostRoom = 4
)

// A store of KV caches' memory that has been used: new memory has to be fetched
// from the system page by page. All of it has one size, the largest of late, so
// that it never exceeds what sequences of that size hold together.
type spareMemory struct {
	bytes  int
	memory []*kernel.Memory
}

// take returns memory of a size or more, zero, and its own size.
func (s *spareMemory) take(bytes int) (m *kernel.Memory, room int, err error) {
	n := len(s.memory)
	if n == 0 || bytes > s.bytes || bytes*mostRoom < s.bytes {
		s.free()
		m, err = kernel.NewMemory(bytes)
		return m, bytes, err
	}
	m, s.memory = s.memory[n-1], s.memory[:n-1]
	m.Reset()
	return m, s.bytes, nil
}

// give takes memory of a size back.
func (s *spareMemory) give(m *kernel.Memory, bytes int) {
	if len(s.memory) > 0 && bytes > s.bytes {
		s.free()
	}
	if bytes > mostSpare || len(s.memory) == spareCaches || len(s.memory) > 0 && bytes < s.bytes {
		m.Free()
		return
	}
	s.bytes, s.memory = bytes, append(s.memory, m)
}

// free gives all back to the system.
func (s *spareMemory) free() {
	for _, m := range s.memory {
		m.Free()
	}
	s.memory = nil
}
