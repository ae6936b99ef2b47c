package llama

import (
	"fmt"
	"runtime"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
)

// A block is a decoder block's weights.
type block struct {
	attnNorm, ffnNorm []float32
	q, k, v, o        *kernel.Matrix
	gate, up, down    *kernel.Matrix
}

// A head is the final norm and the output matrix.
type head struct {
	norm   []float32
	output *kernel.Matrix
}

// load checks and packs the weights of the shard's units.
func (s *Shard) load(c models.Checkpoint) error {
	units := make([]models.Unit, s.To-s.From)
	bytes := 0
	for i := range units {
		var err error
		if units[i], err = c.Unit(s.From + i); err != nil {
			return fmt.Errorf("unit %d: %w", s.From+i, err)
		}
		for _, t := range units[i].Tensors() {
			bytes += kernel.Piece(s.path.PackedBytes(t))
		}
	}
	var err error
	if s.memory, err = kernel.NewMemory(bytes); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	models.Expect(c, s.From)
	for i := range units {
		models.Expect(c, s.From+i+1) // the file is read while the unit before it is packed
		if err := s.loadUnit(s.From+i, &units[i]); err != nil {
			return fmt.Errorf("unit %d: %w", s.From+i, err)
		}
		if s.path.Packs() && s.From+i > 0 {
			models.Forget(c, s.From+i)
		}
	}
	return nil
}

func (s *Shard) loadUnit(u int, unit *models.Unit) (err error) {
	switch u {
	case 0:
		s.embedding = unit.Embedding
		if err := checkShape("embedding", unit.Embedding, s.config.Vocab, s.config.Dim); err != nil {
			return err
		}
		s.touch(unit.Embedding.Data)
		return s.loaded(unit.Bytes())
	case s.config.Layers + 1:
		s.head, err = s.newHead(unit)
		return err
	}
	b, err := s.newBlock(unit)
	s.blocks = append(s.blocks, b)
	return err
}

func (s *Shard) newBlock(u *models.Unit) (*block, error) {
	b, c := &block{}, s.config
	for _, m := range []struct {
		name       string
		to         **kernel.Matrix
		t          models.Tensor
		rows, cols int
	}{
		{"attention query", &b.q, u.Q, c.Dim, c.Dim},
		{"attention key", &b.k, u.K, c.KVDim(), c.Dim},
		{"attention value", &b.v, u.V, c.KVDim(), c.Dim},
		{"attention output", &b.o, u.O, c.Dim, c.Dim},
		{"feed-forward gate", &b.gate, u.Gate, c.Hidden, c.Dim},
		{"feed-forward up", &b.up, u.Up, c.Hidden, c.Dim},
		{"feed-forward down", &b.down, u.Down, c.Dim, c.Hidden},
	} {
		var err error
		if *m.to, err = s.matrix(m.name, m.t, m.rows, m.cols); err != nil {
			return nil, err
		}
	}
	var err error
	if b.attnNorm, err = s.vector("attention norm", u.AttnNorm, c.Dim); err != nil {
		return nil, err
	}
	b.ffnNorm, err = s.vector("feed-forward norm", u.FFNNorm, c.Dim)
	return b, err
}

func (s *Shard) newHead(u *models.Unit) (*head, error) {
	norm, err := s.vector("final norm", u.Norm, s.config.Dim)
	if err != nil {
		return nil, err
	}
	output, err := s.matrix("output", u.Output, s.config.Vocab, s.config.Dim)
	return &head{norm, output}, err
}

// matrix checks and packs a matrix, on all threads.
func (s *Shard) matrix(name string, t models.Tensor, rows, cols int) (*kernel.Matrix, error) {
	if err := checkShape(name, t, rows, cols); err != nil {
		return nil, err
	}
	m, err := s.path.NewMatrix(t, s.memory.Take)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if m.Packed() {
		s.parallel(product{m: m}.tasks(), func(task int) {
			m.Pack(task*productTask, min((task+1)*productTask, m.Rows))
		})
	} else {
		s.touch(t.Data)
	}
	return m, s.loaded(m.Bytes())
}

// loaded counts weights and tells of them.
func (s *Shard) loaded(bytes int64) error {
	s.weights += bytes
	if s.progress == nil {
		return nil
	}
	return s.progress(bytes)
}

// touch brings mapped weights into memory, so that the first pass does not pay
// for reading the file.
func (s *Shard) touch(data []byte) {
	const piece, page = 1 << 20, 4096
	s.parallel((len(data)+piece-1)/piece, func(task int) {
		var sum byte
		for at := task * piece; at < min((task+1)*piece, len(data)); at += page {
			sum ^= data[at]
		}
		runtime.KeepAlive(sum)
	})
}

// parallel runs body for every task on all threads.
func (s *Shard) parallel(tasks int, body func(task int)) {
	s.pool.Acquire()
	defer s.pool.Yield()
	s.pool.Run(tasks, func(_, task int) { body(task) })
}

func (s *Shard) vector(name string, t models.Tensor, n int) ([]float32, error) {
	if err := checkShape(name, t, 1, n); err != nil {
		return nil, err
	}
	v := make([]float32, n)
	kernel.Dequantize(v, t.Precision, t.Data)
	return v, s.loaded(int64(len(t.Data)))
}

func checkShape(name string, t models.Tensor, rows, cols int) error {
	if t.Rows != rows || t.Cols != cols {
		return fmt.Errorf("%s is %d×%d: want %d×%d", name, t.Rows, t.Cols, rows, cols)
	}
	if want := int64(rows) * t.Precision.Bytes(int64(cols)); int64(len(t.Data)) != want {
		return fmt.Errorf("%s has %d bytes: want %d", name, len(t.Data), want)
	}
	return nil
}
