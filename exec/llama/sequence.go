package llama

import (
	"fmt"

	"github.com/edgeshard/edgeshard/exec/kernel"
)

// A sequence is the KV cache of one sequence in every block of the shard.
type sequence struct {
	blocks    []*kernel.Cache
	memory    *kernel.Memory
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
	shape := kernel.CacheShape{Precision: s.kv, Heads: s.config.KVHeads, Dim: s.config.HeadDim(), Positions: positions}
	memory, err := s.spare.take(len(s.blocks) * kernel.Piece(shape.Bytes()))
	if err != nil {
		return fmt.Errorf("sequence %d: KV cache: %w", seq, err)
	}
	q := &sequence{positions: positions, memory: memory}
	for range s.blocks {
		q.blocks = append(q.blocks, shape.New(memory.Take(shape.Bytes())))
	}
	s.caches[seq] = q
	return nil
}

// Release frees the KV cache of a sequence, if it has one.
func (s *Shard) Release(seq int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.caches[seq]; q != nil {
		s.spare.give(q.memory, len(s.blocks)*kernel.Piece(q.blockBytes()))
		delete(s.caches, seq)
	}
}

// blockBytes returns the bytes of one block's cache.
func (q *sequence) blockBytes() int {
	if len(q.blocks) == 0 {
		return 0
	}
	return q.blocks[0].Bytes()
}

const (
	// mostSpare bounds the memory of a KV cache that is kept for the next one: of a
	// larger one most is never touched, and clearing it would take longer than new
	// memory does.
	mostSpare = 32 << 20
	// spareCaches is how many are kept.
	spareCaches = 8
)

// A store of KV caches' memory that has been used: new memory has to be fetched
// from the system page by page. All of it has one size, so that it never exceeds
// what sequences of that size hold together.
type spareMemory struct {
	bytes  int
	memory []*kernel.Memory
}

// take returns memory of a size, zero.
func (s *spareMemory) take(bytes int) (*kernel.Memory, error) {
	if bytes != s.bytes || len(s.memory) == 0 {
		s.free()
		return kernel.NewMemory(bytes)
	}
	m := s.memory[len(s.memory)-1]
	s.memory = s.memory[:len(s.memory)-1]
	m.Reset()
	return m, nil
}

// give takes memory back.
func (s *spareMemory) give(m *kernel.Memory, bytes int) {
	if bytes > mostSpare || len(s.memory) == spareCaches && bytes == s.bytes {
		m.Free()
		return
	}
	if bytes != s.bytes {
		s.free()
		s.bytes = bytes
	}
	s.memory = append(s.memory, m)
}

// free gives all back to the system.
func (s *spareMemory) free() {
	for _, m := range s.memory {
		m.Free()
	}
	s.memory = nil
}
