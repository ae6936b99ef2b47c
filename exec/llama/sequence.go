package llama

import (
	"fmt"

	"github.com/edgeshard/edgeshard/exec/kernel"
)

// A sequence is the KV cache of one sequence in every block of the shard.
type sequence struct {
	blocks    []*kernel.Cache
	length    int // positions filled
	positions int // positions reserved
}

func (q *sequence) bytes() (n int64) {
	for _, c := range q.blocks {
		n += c.Bytes()
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
	q := &sequence{positions: positions}
	for range s.blocks {
		q.blocks = append(q.blocks, kernel.NewCache(s.config.KVHeads, s.config.HeadDim(), positions))
	}
	s.caches[seq] = q
	return nil
}

// Release frees the KV cache of a sequence, if it has one.
func (s *Shard) Release(seq int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.caches, seq)
}
