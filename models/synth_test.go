package models

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	ggufparser "github.com/gpustack/gguf-parser-go"
)

// TestSynthReadsBack: what WriteSynth writes, Open reads, in the shape and of
// the size that Config foretells.
func TestSynthReadsBack(t *testing.T) {
	tied := tiny
	tied.Tied = true
	for _, narrow := range []Config{tiny, tied} {
		for _, p := range Precisions() {
			cfg := widened(narrow, p)
			data := synthetic(t, cfg, p)
			if n, err := SynthSize(cfg, p, 0); err != nil || n != int64(len(data)) {
				t.Errorf("%v: SynthSize = %d, %v, want %d", p, n, err, len(data))
			}
			c := mustOpen(t, writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), data))
			if diff := cmp.Diff(cfg, c.Config()); diff != "" {
				t.Errorf("%v:\n%s", p, diff)
			}
			for u := range cfg.Units() {
				x, err := c.Unit(u)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := x.Bytes(), cfg.WeightBytes(u, p); got != want {
					t.Errorf("%v: unit %d has %d bytes, want %d", p, u, got, want)
				}
			}
		}
	}
}

// TestSynthForOthers holds the file to another reader.
func TestSynthForOthers(t *testing.T) {
	for _, p := range Precisions() {
		cfg := widened(tiny, p)
		path := writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), synthetic(t, cfg, p))
		f, err := ggufparser.ParseGGUFFile(path)
		if err != nil {
			t.Fatal(err)
		}
		a, tok, meta := f.Architecture(), f.Tokenizer(), f.Metadata()
		got := []any{
			a.Architecture, meta.Name, a.EmbeddingLength, a.BlockCount, a.FeedForwardLength[0],
			a.AttentionHeadCount, a.AttentionHeadCountKV, a.MaximumContextLength, a.RoPEDimensionCount,
			tok.Model, tok.TokensLength, tok.BOSTokenID, tok.EOSTokenID, len(f.TensorInfos),
		}
		want := []any{
			"llama", "tiny", uint64(cfg.Dim), uint64(2), uint64(cfg.Hidden),
			uint64(4), uint64(2), uint64(32), uint64(cfg.HeadDim()),
			"llama", uint64(300), int64(1), int64(2), 2*9 + 3,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v:\n%s", p, diff)
		}
		var matrices int64
		for _, info := range f.TensorInfos {
			if info.NDimensions == 2 {
				matrices += int64(info.Bytes())
			}
		}
		var foretold int64
		for u := range cfg.Units() {
			foretold += p.Bytes(cfg.matrixElements(u))
		}
		if matrices != foretold {
			t.Errorf("%v: matrices of %d bytes, want %d", p, matrices, foretold)
		}
	}
}

// widened returns cfg with rows of whole superblocks, if p has them.
func widened(cfg Config, p Precision) Config {
	if p.BlockElements() == 256 {
		cfg.Dim, cfg.Hidden = 256, 512
	}
	return cfg
}

func TestSynthIsSeeded(t *testing.T) {
	write := func(seed uint64) []byte {
		var b bytes.Buffer
		if err := WriteSynth(t.Context(), &b, tiny, Q8_0, 1, seed); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if !bytes.Equal(write(1), write(1)) {
		t.Error("the same seed gave other bytes")
	}
	if bytes.Equal(write(1), write(2)) {
		t.Error("another seed gave the same bytes")
	}
}

// TestSynthMoments: matrices have mean 0 and variance 1/cols in every
// precision, so that a pass neither explodes nor dies out.
func TestSynthMoments(t *testing.T) {
	cfg := tiny
	cfg.Dim, cfg.Hidden = 256, 512
	for _, p := range Precisions() {
		path := writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), synthetic(t, cfg, p))
		x, err := mustOpen(t, path).Unit(1)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []Tensor{x.Q, x.Gate, x.Down} {
			v := dequantise(m)
			mean, variance := moments(v)
			sigma := 1 / math.Sqrt(float64(m.Cols))
			if bound := 5 * sigma / math.Sqrt(float64(len(v))); math.Abs(mean) > bound {
				t.Errorf("%v %d×%d: mean %g, want at most %g", p, m.Rows, m.Cols, mean, bound)
			}
			if ratio := math.Sqrt(variance) / sigma; math.Abs(ratio-1) > 0.02 {
				t.Errorf("%v %d×%d: deviation is %.3f of what it should be", p, m.Rows, m.Cols, ratio)
			}
		}
		if mean, variance := moments(dequantise(x.FFNNorm)); math.Abs(mean-1) > 0.02 || variance > 0.01 {
			t.Errorf("%v: norm has mean %g and variance %g", p, mean, variance)
		}
	}
}

func moments(v []float64) (mean, variance float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		variance += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, variance
}

// TestSynthVocabulary: the made-up vocabulary encodes any text, most of it with
// pieces of several characters where it can.
func TestSynthVocabulary(t *testing.T) {
	cfg := tiny
	cfg.Vocab = 32000
	v, err := synthVocabulary(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := newTokenizer(v)
	if err != nil {
		t.Fatal(err)
	}
	text := "tena suto 🦙 Hello\n"
	ids := tok.Encode(text, true)
	if got := tok.Decode(ids); got != text {
		t.Errorf("Decode(Encode(%q)) = %q", text, got)
	}
	if tok.Piece(ids[1]) != "▁tena" || tok.Piece(ids[2]) != "▁suto" {
		t.Errorf("%q begins with %q and %q", text, tok.Piece(ids[1]), tok.Piece(ids[2]))
	}
}

func TestSynthRefuses(t *testing.T) {
	small, odd := tiny, tiny
	small.Vocab = 258
	odd.Hidden = 100
	for _, c := range []struct {
		cfg    Config
		p      Precision
		blocks int
		want   string
	}{
		{small, F32, 0, "model tiny: vocab is 258: want at least 259 for a synthetic vocabulary, controls and bytes"},
		{odd, Q4_0, 0, "model tiny: rows of 100 elements: want a multiple of 32 for q4_0"},
		{tiny, F32, -1, "blocks is -1: want 0 or more"},
		{Config{Name: "none"}, F32, 1, "model none: vocab is 0: want 1 to 2^24"},
	} {
		err := WriteSynth(t.Context(), io.Discard, c.cfg, c.p, c.blocks, 1)
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
		if _, err := SynthSize(c.cfg, c.p, c.blocks); err == nil {
			t.Error("SynthSize gave no error")
		}
	}
}

func TestSynthEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := WriteSynth(ctx, io.Discard, tiny, F32, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	full := errors.New("disk full")
	if err := WriteSynth(t.Context(), failing{full}, tiny, F32, 0, 1); !errors.Is(err, full) {
		t.Errorf("failing writer: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func BenchmarkWriteSynth(b *testing.B) {
	cfg, _ := Builtin("tinyllama-1.1b")
	for _, p := range Precisions() {
		b.Run(p.String(), func(b *testing.B) {
			n, err := SynthSize(cfg, p, 2)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(n)
			b.ReportAllocs()
			for b.Loop() {
				if err := WriteSynth(b.Context(), io.Discard, cfg, p, 2, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
