package llama

import (
	"fmt"

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

func newBlock(c models.Config, u *models.Unit) (*block, error) {
	b := &block{}
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
		if *m.to, err = matrix(m.name, m.t, m.rows, m.cols); err != nil {
			return nil, err
		}
	}
	var err error
	if b.attnNorm, err = vector("attention norm", u.AttnNorm, c.Dim); err != nil {
		return nil, err
	}
	b.ffnNorm, err = vector("feed-forward norm", u.FFNNorm, c.Dim)
	return b, err
}

func newHead(c models.Config, u *models.Unit) (*head, error) {
	norm, err := vector("final norm", u.Norm, c.Dim)
	if err != nil {
		return nil, err
	}
	output, err := matrix("output", u.Output, c.Vocab, c.Dim)
	return &head{norm, output}, err
}

func matrix(name string, t models.Tensor, rows, cols int) (*kernel.Matrix, error) {
	if err := checkShape(name, t, rows, cols); err != nil {
		return nil, err
	}
	m, err := kernel.NewMatrix(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func vector(name string, t models.Tensor, n int) ([]float32, error) {
	if err := checkShape(name, t, 1, n); err != nil {
		return nil, err
	}
	v := make([]float32, n)
	kernel.Dequantize(v, t.Precision, t.Data)
	return v, nil
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
