package llama_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
)

// recode copies a checkpoint with its matrices at precision p; those whose rows
// are not whole blocks of p become f16.
func recode(t testing.TB, m models.Checkpoint, p models.Precision) models.Checkpoint {
	s := &synthetic{config: m.Config()}
	for u := range s.config.Units() {
		unit, err := m.Unit(u)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []*models.Tensor{
			&unit.Embedding, &unit.Q, &unit.K, &unit.V, &unit.O, &unit.Gate, &unit.Up, &unit.Down, &unit.Output,
		} {
			if x.Data != nil {
				*x = recodeTensor(*x, p)
			}
		}
		s.units = append(s.units, unit)
	}
	return s
}

func recodeTensor(t models.Tensor, p models.Precision) models.Tensor {
	if t.Cols%p.BlockElements() != 0 {
		p = models.F16
	}
	out := models.Tensor{Precision: p, Rows: t.Rows, Cols: t.Cols}
	all := values(t)
	for n := p.BlockElements(); len(all) > 0; all = all[n:] {
		switch p {
		case models.Q8_0:
			out.Data = encodeQ8(out.Data, all[:n])
		case models.Q4_0:
			out.Data = encodeQ4(out.Data, all[:n])
		default:
			out.Data = appendElement(out.Data, p, float32(all[0]))
		}
	}
	return out
}

// peak returns the element of the largest magnitude.
func peak(x []float64) (v float64) {
	for _, e := range x {
		if math.Abs(e) > math.Abs(v) {
			v = e
		}
	}
	return v
}

func appendScale(b []byte, d float64) ([]byte, float64) {
	h := kernel.F32ToF16(float32(d))
	if d = 0; h != 0 {
		d = 1 / float64(kernel.F16ToF32(h))
	}
	return binary.LittleEndian.AppendUint16(b, h), d
}

func encodeQ8(b []byte, x []float64) []byte {
	b, inverse := appendScale(b, math.Abs(peak(x))/127)
	for _, v := range x {
		b = append(b, byte(int8(max(-127, min(127, math.RoundToEven(v*inverse))))))
	}
	return b
}

// encodeQ4 gives the element of the largest magnitude the integer -8, which has
// no positive counterpart.
func encodeQ4(b []byte, x []float64) []byte {
	b, inverse := appendScale(b, peak(x)/-8)
	q := func(v float64) byte { return byte(max(0, min(15, math.RoundToEven(v*inverse)+8))) }
	for i := range 16 {
		b = append(b, q(x[i])|q(x[i+16])<<4)
	}
	return b
}
