package bench_test

import (
	"context"
	"errors"
	"testing"

	"github.com/edgeshard/edgeshard/exec/bench"
	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
)

func demo(t *testing.T) (models.Checkpoint, *kernel.Path) {
	t.Helper()
	m, err := models.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	path, err := kernel.Default()
	if err != nil {
		t.Fatal(err)
	}
	return m, path
}

// The rates of a result fit one another and the model.
func TestRates(t *testing.T) {
	m, path := demo(t)
	o := bench.Options{Threads: 2, Path: path, Batch: 3, Past: 10, Tokens: 8, Repeats: 2}
	for _, f := range []func(context.Context, models.Checkpoint, bench.Options) (*bench.Result, error){bench.Decode, bench.Prefill} {
		r, err := f(t.Context(), m, o)
		if err != nil {
			t.Fatal(err)
		}
		passes := 1.0
		if r.What == "decode" {
			passes = 8
		}
		seconds := 24 / r.TokensPerSec
		read := float64(r.Memory.Weights - 2*1024*128) // but for the embedding, in f16
		if want := read * passes / seconds; !near(r.WeightBytesPerSec, want) {
			t.Errorf("%s: %g bytes of weights a second, want %g", r.What, r.WeightBytesPerSec, want)
		}
		if r.ReadBytesPerSec <= r.WeightBytesPerSec || r.FLOPsPerSec <= 0 || r.BestTokensPerSec < r.TokensPerSec || r.BandwidthShare <= 0 {
			t.Errorf("%+v", r)
		}
	}
}

func near(a, b float64) bool { return a > 0.999*b && a < 1.001*b }

func TestLimits(t *testing.T) {
	_, path := demo(t)
	for _, p := range []*kernel.Path{kernel.Plain, path} {
		if v, err := bench.Bandwidth(p, 1, 1); err != nil || v < 1e8 {
			t.Errorf("%s: bandwidth %g, %v", p.Name(), v, err)
		}
		for _, peak := range bench.Peaks(p, 1) {
			if peak.OpsPerSec < 1e9 {
				t.Errorf("%s: %+v", p.Name(), peak)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	m, path := demo(t)
	if _, err := bench.Decode(t.Context(), m, bench.Options{Path: path, Batch: 1, Repeats: 1, Past: 200, Tokens: 100}); err == nil {
		t.Error("300 positions in a context of 256: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bench.Decode(ctx, m, bench.Options{Path: path, Batch: 1, Repeats: 1, Tokens: 4}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
