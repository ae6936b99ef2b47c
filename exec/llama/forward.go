package llama

import (
	"fmt"

	"github.com/edgeshard/edgeshard/exec/kernel"
)

// A Seq is a sequence's part of a pass: N new positions after Past.
type Seq struct {
	ID     int
	Past   int   // must be the length of the sequence's KV cache
	N      int   // new positions, at least 1
	Tokens []int // their ids, for a shard that holds unit 0; others ignore them
}

// Forward runs a batch of different sequences through the shard's units and
// extends their KV caches by the new positions.
//
// x are the activations from the units before, rows [ΣN][Dim] in the batch's
// order, or nil where the shard holds unit 0. The result is rows of the same
// shape, or with the output head the logits [len(batch)][Vocab] of each
// sequence's last position. It is valid until the next call. After an error the
// caches are as before.
func (s *Shard) Forward(batch []Seq, x []float32) ([]float32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.check(batch, x)
	if err != nil {
		return nil, err
	}
	w := s.work
	w.resize(rows, len(batch))
	if err := s.enter(batch, x); err != nil {
		return nil, err
	}
	s.pool.Acquire()
	defer s.pool.Yield()
	for i, b := range s.blocks {
		w.block(b, i)
	}
	for _, q := range batch {
		s.caches[q.ID].length += q.N
	}
	if s.head == nil {
		return w.x[:rows*s.config.Dim], nil
	}
	return w.logits(s.head), nil
}

// check validates a batch and returns its rows.
func (s *Shard) check(batch []Seq, x []float32) (rows int, err error) {
	if len(batch) == 0 {
		return 0, fmt.Errorf("forward pass of no sequences")
	}
	seen := s.work.seen
	clear(seen)
	for _, q := range batch {
		if seen[q.ID] {
			return 0, fmt.Errorf("sequence %d is twice in the batch", q.ID)
		}
		seen[q.ID] = true
		if err := s.checkSeq(q); err != nil {
			return 0, fmt.Errorf("sequence %d: %w", q.ID, err)
		}
		rows += q.N
	}
	want := rows * s.config.Dim
	if s.From == 0 {
		want = 0
	}
	if len(x) != want {
		return 0, fmt.Errorf("activations of %d elements: want %d", len(x), want)
	}
	return rows, nil
}

func (s *Shard) checkSeq(q Seq) error {
	cache := s.caches[q.ID]
	switch {
	case cache == nil:
		return fmt.Errorf("no KV cache is reserved")
	case q.Past != cache.length:
		return fmt.Errorf("pass begins at position %d, the KV cache holds %d", q.Past, cache.length)
	case q.N < 1:
		return fmt.Errorf("%d new positions: want at least 1", q.N)
	case q.N > cache.positions-q.Past:
		return fmt.Errorf("positions %d to %d: %d are reserved of a context of %d", q.Past, q.Past+q.N-1, cache.positions, s.config.Context)
	case s.From == 0 && len(q.Tokens) != q.N:
		return fmt.Errorf("%d tokens for %d positions", len(q.Tokens), q.N)
	}
	return nil
}

// enter fills the residual stream with x, or with the tokens' embeddings, and
// lays out the pass.
func (s *Shard) enter(batch []Seq, x []float32) error {
	w, dim := s.work, s.config.Dim
	copy(w.x, x)
	row := 0
	for _, q := range batch {
		w.add(s.caches[q.ID], q.Past, q.N)
		if s.From > 0 {
			continue
		}
		for _, id := range q.Tokens {
			if id < 0 || id >= s.config.Vocab {
				return fmt.Errorf("sequence %d: token %d: the vocabulary has %d", q.ID, id, s.config.Vocab)
			}
			e := s.embedding
			size := int(e.Precision.Bytes(int64(dim)))
			kernel.Dequantize(w.x[row*dim:][:dim], e.Precision, e.Data[id*size:][:size])
			row++
		}
	}
	return nil
}
