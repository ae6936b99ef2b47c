package llama

import (
	"fmt"
	"sync"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
)

// Options tune a shard.
type Options struct {
	// Pool are the threads to compute with; shards of one process share one.
	// Nil is a pool of all CPUs for this shard alone.
	Pool *kernel.Pool
	// KV is the precision of the KV caches, F32 or F16, which takes half the
	// memory and reads. The zero value is F32.
	KV models.Precision
	// Path are the kernels to compute with; nil is kernel.Default().
	Path *kernel.Path
	// Progress is called while New reads the weights, with the bytes that came
	// into memory since the call before. Its error ends the loading.
	Progress func(bytes int64) error
}

// A Shard holds units [From, To) of a model and the KV caches of the sequences
// that run through it. Its methods may be called from several goroutines;
// forward passes take turns.
type Shard struct {
	From, To int

	config   models.Config
	progress func(bytes int64) error // of loading
	kv       models.Precision
	path     *kernel.Path
	pool     *kernel.Pool
	ownPool  bool
	weights  int64          // bytes
	memory   *kernel.Memory // of the packed matrices

	mu     sync.Mutex
	caches map[int]*sequence
	work   *workspace

	embedding models.Tensor // with unit 0
	blocks    []*block
	head      *head // with the last unit
	rope      *kernel.Rope
}

// New readies units [from, to) of a checkpoint, which must stay open as long as
// the shard is used.
func New(c models.Checkpoint, from, to int, o Options) (*Shard, error) {
	cfg := c.Config()
	err := cfg.Validate()
	if err != nil {
		return nil, err
	}
	if from < 0 || to > cfg.Units() || from >= to {
		return nil, fmt.Errorf("shard of units [%d, %d): model %s has units 0 to %d", from, to, cfg.Name, cfg.Units()-1)
	}
	if o.KV != models.F32 && o.KV != models.F16 {
		return nil, fmt.Errorf("KV caches of %s: want f32 or f16", o.KV)
	}
	s := &Shard{From: from, To: to, config: cfg, kv: o.KV, path: o.Path, pool: o.Pool, progress: o.Progress, caches: map[int]*sequence{}}
	if s.path == nil {
		if s.path, err = kernel.Default(); err != nil {
			return nil, err
		}
	}
	if s.pool == nil {
		s.pool, s.ownPool = kernel.NewPool(0), true
	}
	if err := s.load(c); err != nil {
		s.Close()
		return nil, fmt.Errorf("model %s, %w", cfg.Name, err)
	}
	if len(s.blocks) > 0 {
		s.rope = kernel.NewRope(cfg.HeadDim(), cfg.Context, cfg.RopeTheta, cfg.RopeHalf)
	}
	s.work = newWorkspace(s)
	return s, nil
}

// Close frees the weights, the caches and the threads that are the shard's own.
func (s *Shard) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, q := range s.caches {
		q.memory.Free()
		delete(s.caches, id)
	}
	s.blocks, s.head = nil, nil
	if s.memory != nil {
		s.memory.Free()
	}
	if s.ownPool {
		s.pool.Close()
	}
	return nil
}

// WeightBytes returns the bytes of the weights held.
func (s *Shard) WeightBytes() int64 { return s.weights }

// KVBytes returns the bytes of the KV caches reserved now.
func (s *Shard) KVBytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	for _, q := range s.caches {
		n += q.bytes()
	}
	return n
}

// WorkspaceBytes returns the bytes of scratch memory held now: it grows with the
// largest pass so far.
func (s *Shard) WorkspaceBytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.work.bytes()
	if s.rope != nil {
		n += s.rope.Bytes()
	}
	return n
}
