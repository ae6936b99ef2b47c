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

	config  models.Config
	kv      models.Precision
	path    *kernel.Path
	pool    *kernel.Pool
	ownPool bool
	weights int64   // bytes
	own     []*Unit // freed with the shard

	mu     sync.Mutex
	caches map[int]*sequence
	spare  spareMemory
	work   *workspace

	embedding models.Tensor // with unit 0
	blocks    []*block
	head      *head // with the last unit
	rope      *kernel.Rope
}

// New readies units [from, to) of a checkpoint, which must stay open as long as
// the shard is used.
func New(c models.Checkpoint, from, to int, o Options) (*Shard, error) {
	pool := o.Pool
	if pool == nil {
		o.Pool = kernel.NewPool(0)
	}
	units, err := Units(c, from, to, o)
	if err == nil {
		var s *Shard
		if s, err = Of(c.Config(), units, o); err == nil {
			s.own, s.ownPool = units, pool == nil
			return s, nil
		}
	}
	for _, u := range units {
		u.Free()
	}
	if pool == nil {
		o.Pool.Close()
	}
	return nil, err
}

// Of makes a shard of consecutive units, which another may have used before.
// They must not be freed as long as the shard is used.
func Of(c models.Config, units []*Unit, o Options) (*Shard, error) {
	if o.KV != models.F32 && o.KV != models.F16 {
		return nil, fmt.Errorf("KV caches of %s: want f32 or f16", o.KV)
	}
	for i, u := range units {
		if u.index != units[0].index+i {
			return nil, fmt.Errorf("shard of units that do not follow each other: %d after %d", u.index, units[i-1].index)
		}
	}
	s := &Shard{
		From: units[0].index, To: units[0].index + len(units), config: c,
		kv: o.KV, path: o.Path, pool: o.Pool, caches: map[int]*sequence{},
	}
	if s.path == nil {
		var err error
		if s.path, err = kernel.Default(); err != nil {
			return nil, err
		}
	}
	if s.pool == nil {
		s.pool, s.ownPool = kernel.NewPool(0), true
	}
	s.adopt(units)
	if len(s.blocks) > 0 {
		s.rope = kernel.NewRope(c.HeadDim(), c.Context, c.RopeTheta, c.RopeHalf)
	}
	s.work = newWorkspace(s)
	return s, nil
}

// Close frees the caches, and the weights and threads that are the shard's own.
func (s *Shard) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, q := range s.caches {
		q.memory.Free()
		delete(s.caches, id)
	}
	s.spare.free()
	s.blocks, s.head = nil, nil
	for _, u := range s.own {
		u.Free()
	}
	s.own = nil
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
