package models

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
)

// SynthSize returns the bytes that WriteSynth writes.
func SynthSize(cfg Config, p Precision, blocks int) (int64, error) {
	s, err := newSynth(cfg, p, blocks)
	if err != nil {
		return 0, err
	}
	return int64(len(s.header)) + s.dataSize, nil
}

// WriteSynth writes a GGUF file of random weights in the shape of cfg, with as
// many decoder blocks as given, or cfg.Layers for 0. Matrices are in precision
// p, norms in f32. The same arguments give the same bytes. The weights are
// scaled so that a pass keeps its activations near 1, as random models do; the
// vocabulary is made up, but encodes any text. Memory use does not depend on
// the size.
func WriteSynth(ctx context.Context, w io.Writer, cfg Config, p Precision, blocks int, seed uint64) error {
	s, err := newSynth(cfg, p, blocks)
	if err != nil {
		return err
	}
	if _, err := w.Write(s.header); err != nil {
		return fmt.Errorf("write synthetic model: %w", err)
	}
	for i, t := range s.tensors {
		if err := t.write(ctx, w, rand.NewPCG(seed, uint64(i))); err != nil {
			return fmt.Errorf("write synthetic model: %w", err)
		}
	}
	return nil
}

// A synth is a file about to be written.
type synth struct {
	header   []byte
	tensors  []synthTensor
	dataSize int64
}

type synthTensor struct {
	slot
	precision Precision
	generate  generator
}

func newSynth(cfg Config, p Precision, blocks int) (*synth, error) {
	if blocks > 0 {
		cfg.Layers = blocks
	}
	if blocks < 0 {
		return nil, fmt.Errorf("blocks is %d: want 0 or more", blocks)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	for _, cols := range []int{cfg.Dim, cfg.Hidden} {
		if cols%p.BlockElements() != 0 {
			return nil, fmt.Errorf("model %s: rows of %d elements: want a multiple of %d for %v", cfg.Name, cols, p.BlockElements(), p)
		}
	}
	vocab, err := synthVocabulary(cfg)
	if err != nil {
		return nil, err
	}
	s := &synth{tensors: synthTensors(cfg, p)}
	var h ggufHeader
	putConfig(&h, cfg, p)
	putVocabulary(&h, vocab)
	for _, t := range s.tensors {
		h.tensor(t.name, t.precision, t.rows, t.cols)
	}
	s.header, s.dataSize = h.encode(), int64(h.dataSize)
	return s, nil
}

func synthTensors(cfg Config, p Precision) []synthTensor {
	var all []synthTensor
	norm := floats32(1, 0.05)
	matrices := make(map[int]generator) // by row length, which sets their scale
	for u := range cfg.Units() {
		for _, s := range ggufNames.slots(cfg, u, new(Unit)) {
			switch {
			case u > 0 && s.name == ggufNames.embedding: // the head of a tied model
			case s.rows == 1:
				all = append(all, synthTensor{s, F32, norm})
			default:
				if matrices[s.cols] == nil {
					matrices[s.cols] = newGenerator(p, s.cols)
				}
				all = append(all, synthTensor{s, p, matrices[s.cols]})
			}
		}
	}
	return all
}

// write writes the tensor's data and its padding.
func (t *synthTensor) write(ctx context.Context, w io.Writer, rng *rand.PCG) error {
	const chunk = 1 << 18 // elements
	size := t.precision.Bytes(int64(t.rows) * int64(t.cols))
	buf := make([]byte, min(size, t.precision.Bytes(chunk)))
	for left := size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		buf = buf[:min(left, int64(len(buf)))]
		t.generate(buf, rng)
		if _, err := w.Write(buf); err != nil {
			return err
		}
		left -= int64(len(buf))
	}
	_, err := w.Write(make([]byte, padding(uint64(size))))
	return err
}

// putConfig enters what a reader needs to know of the model's shape.
func putConfig(h *ggufHeader, c Config, p Precision) {
	h.put("general.architecture", "llama")
	h.put("general.name", c.Name)
	h.put("general.file_type", ggmlFormats[p].file)
	h.put("general.quantization_version", uint32(2))
	for _, v := range []struct {
		key string
		n   int
	}{
		{"vocab_size", c.Vocab}, {"context_length", c.Context}, {"embedding_length", c.Dim},
		{"block_count", c.Layers}, {"feed_forward_length", c.Hidden},
		{"attention.head_count", c.Heads}, {"attention.head_count_kv", c.KVHeads},
		{"rope.dimension_count", c.HeadDim()},
	} {
		h.put("llama."+v.key, uint32(v.n))
	}
	h.put("llama.attention.layer_norm_rms_epsilon", float32(c.NormEps))
	h.put("llama.rope.freq_base", float32(c.RopeTheta))
}
