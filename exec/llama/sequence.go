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
	memory, err := kernel.NewMemory(len(s.blocks) * kernel.Piece(shape.Bytes()))
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
		q.memory.Free()
		delete(s.caches, seq)
	}
}
