package kernel

import (
	"fmt"

	"github.com/edgeshard/edgeshard/models"
)

// A Matrix is a weight matrix [Rows][Cols] ready to be multiplied.
type Matrix struct {
	Precision  models.Precision
	Rows, Cols int
	data       []byte // row-major, as in the checkpoint
}

// NewMatrix makes a matrix of t, whose memory it goes on reading.
func NewMatrix(t models.Tensor) (*Matrix, error) {
	if t.Cols%t.Precision.BlockElements() != 0 {
		return nil, fmt.Errorf("%s matrix of %d columns: want a multiple of %d", t.Precision, t.Cols, t.Precision.BlockElements())
	}
	if want := int64(t.Rows) * t.Precision.Bytes(int64(t.Cols)); int64(len(t.Data)) != want {
		return nil, fmt.Errorf("%s matrix of %d×%d has %d bytes: want %d", t.Precision, t.Rows, t.Cols, len(t.Data), want)
	}
	return &Matrix{Precision: t.Precision, Rows: t.Rows, Cols: t.Cols, data: t.Data}, nil
}

// Mul computes rows [lo, hi) of out[n][Rows] = x[n][Cols] · Wᵀ, x being
// activations in the companion form of the matrix's precision. Different ranges
// of rows may be computed concurrently.
func (m *Matrix) Mul(out []float32, x *Activations, lo, hi int) {
	if x.cols != m.Cols || x.form != FormOf(m.Precision) {
		panic("kernel: activations do not fit the matrix")
	}
	size := int(m.Precision.Bytes(int64(m.Cols)))
	for r := lo; r < hi; r++ {
		w := m.data[r*size:][:size]
		for i := range x.n {
			out[i*m.Rows+r] = m.dot(w, x, i)
		}
	}
}

func (m *Matrix) dot(w []byte, x *Activations, row int) float32 {
	switch m.Precision {
	case models.F32:
		return dotF32(w, x.f32[row*x.cols:][:x.cols])
	case models.F16:
		return dotF16(w, x.f32[row*x.cols:][:x.cols])
	case models.BF16:
		return dotBF16(w, x.data[row*x.stride:])
	case models.Q8_0:
		return dotQ8(w, x.data[row*x.stride:])
	case models.Q4_0:
		return dotQ4(w, x.data[row*x.stride:])
	}
	panic(fmt.Sprintf("kernel: no product with %s", m.Precision))
}
