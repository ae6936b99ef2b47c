package llama

import (
	"fmt"
	"runtime"
	"sync/atomic"

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

// adopt makes units the shard's own, or another's where it is to use them.
func (s *Shard) adopt(units []*Unit) {
	for _, u := range units {
		s.weights += u.Bytes()
		switch {
		case u.index == 0:
			s.embedding = u.embedding
		case u.block != nil:
			s.blocks = append(s.blocks, u.block)
		default:
			s.head = u.head
		}
	}
}

func (p *packer) newBlock(u *models.Unit) (*block, error) {
	b, c := &block{}, p.config
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
		if *m.to, err = p.matrix(m.name, m.t, m.rows, m.cols); err != nil {
			return nil, err
		}
	}
	var err error
	if b.attnNorm, err = p.vector("attention norm", u.AttnNorm, c.Dim); err != nil {
		return nil, err
	}
	b.ffnNorm, err = p.vector("feed-forward norm", u.FFNNorm, c.Dim)
	return b, err
}

func (p *packer) newHead(u *models.Unit) (*head, error) {
	norm, err := p.vector("final norm", u.Norm, p.config.Dim)
	if err != nil {
		return nil, err
	}
	output, err := p.matrix("output", u.Output, p.config.Vocab, p.config.Dim)
	return &head{norm, output}, err
}

// matrix checks and packs a matrix, on all threads.
func (p *packer) matrix(name string, t models.Tensor, rows, cols int) (*kernel.Matrix, error) {
	if err := checkShape(name, t, rows, cols); err != nil {
		return nil, err
	}
	m, err := p.path.NewMatrix(t, p.memory.Take)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !m.Packed() {
		p.touch(t.Data)
		return m, p.loaded(m.Bytes())
	}
	if err := p.fill(m, t.Data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, p.loaded(m.Bytes())
}

// fill reads and packs a matrix's rows, some at a time.
func (p *packer) fill(m *kernel.Matrix, data []byte) error {
	rows, size := m.PackRows(), m.RowBytes()
	tasks := (m.Rows + rows - 1) / rows
	var failed atomic.Pointer[error]
	p.parallel(tasks, func(thread, task int) {
		lo, hi := task*rows, min((task+1)*rows, m.Rows)
		buffer := p.buffer(thread, (hi-lo)*size)
		if err := models.Read(p.checkpoint, buffer, data[lo*size:hi*size]); err != nil {
			failed.Store(&err)
			return
		}
		m.Pack(lo, hi, buffer)
	})
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// buffer returns n bytes that are a thread's own.
func (p *packer) buffer(thread, n int) []byte {
	if cap(p.buffers[thread]) < n {
		p.buffers[thread] = make([]byte, n)
	}
	return p.buffers[thread][:n]
}

// loaded counts weights and tells of them.
func (p *packer) loaded(bytes int64) error {
	p.bytes += bytes
	if p.progress == nil {
		return nil
	}
	return p.progress(bytes)
}

// touch brings mapped weights into memory, so that the first pass does not pay
// for reading the file.
func (p *packer) touch(data []byte) {
	const piece, page = 1 << 20, 4096
	p.parallel((len(data)+piece-1)/piece, func(_, task int) {
		var sum byte
		for at := task * piece; at < min((task+1)*piece, len(data)); at += page {
			sum ^= data[at]
		}
		runtime.KeepAlive(sum)
	})
}

// parallel runs body for every task on all threads.
func (p *packer) parallel(tasks int, body func(thread, task int)) {
	p.pool.Acquire()
	defer p.pool.Yield()
	p.pool.Run(tasks, body)
}

func (p *packer) vector(name string, t models.Tensor, n int) ([]float32, error) {
	if err := checkShape(name, t, 1, n); err != nil {
		return nil, err
	}
	v := make([]float32, n)
	kernel.Dequantize(v, t.Precision, t.Data)
	return v, p.loaded(int64(len(t.Data)))
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
