package llama_test

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
)

// A synthetic checkpoint holds random weights in memory.
type synthetic struct {
	config models.Config
	units  []models.Unit
}

func (s *synthetic) Config() models.Config { return s.config }
func (s *synthetic) Unit(u int) (models.Unit, error) {
	if u < 0 || u >= len(s.units) {
		return models.Unit{}, errors.New("no such unit")
	}
	return s.units[u], nil
}
func (s *synthetic) Tokenizer() (*models.Tokenizer, error) { return nil, errors.New("none") }
func (s *synthetic) Close() error                          { return nil }

func newSynthetic(c models.Config, p models.Precision) *synthetic {
	rng := rand.New(rand.NewPCG(1, uint64(p)))
	c.Name, c.NormEps, c.RopeTheta = "synthetic", 1e-5, 10000
	m := func(rows, cols int) models.Tensor { return randomTensor(rng, p, rows, cols) }
	norm := func() models.Tensor { return randomTensor(rng, models.F32, 1, c.Dim) }
	s := &synthetic{config: c, units: []models.Unit{{Embedding: randomTensor(rng, models.F32, c.Vocab, c.Dim)}}}
	for range c.Layers {
		s.units = append(s.units, models.Unit{
			AttnNorm: norm(), FFNNorm: norm(),
			Q: m(c.Dim, c.Dim), K: m(c.KVDim(), c.Dim), V: m(c.KVDim(), c.Dim), O: m(c.Dim, c.Dim),
			Gate: m(c.Hidden, c.Dim), Up: m(c.Hidden, c.Dim), Down: m(c.Dim, c.Hidden),
		})
	}
	s.units = append(s.units, models.Unit{Norm: norm(), Output: m(c.Vocab, c.Dim)})
	return s
}

// randomTensor draws a tensor whose rows have a norm of about 1.
func randomTensor(rng *rand.Rand, p models.Precision, rows, cols int) models.Tensor {
	t := models.Tensor{Precision: p, Rows: rows, Cols: cols}
	spread := 1 / math.Sqrt(float64(cols))
	if rows == 1 {
		spread = 1
	}
	if p.BlockElements() == 1 {
		for range rows * cols {
			t.Data = appendElement(t.Data, p, float32(rng.NormFloat64()*spread))
		}
		return t
	}
	t.Data = make([]byte, int64(rows)*p.Bytes(int64(cols)))
	for i := range t.Data {
		t.Data[i] = byte(rng.Uint32())
	}
	for b := t.Data; len(b) > 0; b = b[p.BlockBytes():] {
		setScales(b, p, spread)
	}
	return t
}

// setScales gives a block of random bits a deviation of about spread.
func setScales(b []byte, p models.Precision, spread float64) {
	put := func(at int, v float64) { binary.LittleEndian.PutUint16(b[at:], kernel.F32ToF16(float32(v))) }
	switch p {
	case models.Q8_0:
		put(0, spread/64)
	case models.Q4_0:
		put(0, spread/4)
	case models.Q4_K, models.Q5_K:
		levels := 7.5
		if p == models.Q5_K {
			levels = 15.5
		}
		put(0, spread/(20*levels))
		put(2, spread/20)
	case models.Q6_K:
		put(208, spread/(64*16))
	}
}

func appendElement(b []byte, p models.Precision, v float32) []byte {
	switch p {
	case models.F32:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	case models.F16:
		return binary.LittleEndian.AppendUint16(b, kernel.F32ToF16(v))
	}
	return binary.LittleEndian.AppendUint16(b, kernel.F32ToBF16(v))
}

// values returns a tensor's elements.
func values(t models.Tensor) []float64 {
	size := int(t.Precision.Bytes(int64(t.Cols)))
	row, all := make([]float32, t.Cols), make([]float64, 0, t.Rows*t.Cols)
	for r := range t.Rows {
		kernel.Dequantize(row, t.Precision, t.Data[r*size:][:size])
		for _, v := range row {
			all = append(all, float64(v))
		}
	}
	return all
}

// A shape with heads that share keys, and sizes that are no multiples of 16.
var oddShape = models.Config{Vocab: 50, Dim: 24, Hidden: 52, Layers: 3, Heads: 6, KVHeads: 2, Context: 40}

// A shape that every precision can hold.
var evenShape = models.Config{Vocab: 96, Dim: 64, Hidden: 96, Layers: 3, Heads: 4, KVHeads: 2, Context: 64}

// shapeOf returns a shape whose rows are whole blocks of p.
func shapeOf(p models.Precision) models.Config {
	c := evenShape
	if p.BlockElements() == 256 {
		c.Dim, c.Hidden, c.Heads, c.KVHeads = 256, 512, 8, 2
	}
	return c
}
