// Package bench measures how fast a model's shard computes here, beside what the
// machine's memory and arithmetic would allow.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/internal/sample"
	"github.com/edgeshard/edgeshard/models"
)

// Options say what to measure.
type Options struct {
	Threads int // 0: one per CPU
	Path    *kernel.Path
	Batch   int // sequences that run together
	Past    int // positions in the KV caches before the first pass
	Tokens  int // of each sequence: decoded one by one, or the prompt
	Repeats int // runs after one pass to warm up, of which the median counts
}

// A Result is the median of some runs of a whole model in one shard.
type Result struct {
	What    string `json:"what"` // decode or prefill
	Model   string `json:"model"`
	Kernel  string `json:"kernel"`
	Threads int    `json:"threads"`
	Batch   int    `json:"batch"`
	Past    int    `json:"past_tokens"`
	Tokens  int    `json:"tokens"`

	TokensPerSec      float64 `json:"tokens_per_s"`       // over all sequences
	BestTokensPerSec  float64 `json:"best_tokens_per_s"`  // of the runs
	WeightBytesPerSec float64 `json:"weight_bytes_per_s"` // weights, once a pass, but for the embedding
	ReadBytesPerSec   float64 `json:"read_bytes_per_s"`   // and the KV caches
	FLOPsPerSec       float64 `json:"flops_per_s"`

	// The read bandwidth probed before and after each run, and the median share
	// of it that the run's reads came to.
	Bandwidth      float64 `json:"bandwidth_bytes_per_s"`
	BandwidthShare float64 `json:"bandwidth_share"`

	Load   float64 `json:"load_s"` // seconds that loading took
	Memory Memory  `json:"memory"`
}

// Memory is what the shard held in the end.
type Memory struct {
	Weights   int64 `json:"weights_bytes"`
	KV        int64 `json:"kv_bytes"`
	Workspace int64 `json:"workspace_bytes"`
}

// A run is one measurement: seconds for all passes, and the bandwidth around it.
type run struct{ seconds, bandwidth float64 }

// Decode measures passes of one token a sequence.
func Decode(ctx context.Context, m models.Checkpoint, o Options) (*Result, error) {
	return measure(ctx, m, o, "decode", 1)
}

// Prefill measures a pass of all tokens.
func Prefill(ctx context.Context, m models.Checkpoint, o Options) (*Result, error) {
	return measure(ctx, m, o, "prefill", o.Tokens)
}

func measure(ctx context.Context, m models.Checkpoint, o Options, what string, step int) (*Result, error) {
	if o.Tokens < 1 || o.Batch < 1 || o.Past < 0 || o.Repeats < 1 || o.Past+o.Tokens > m.Config().Context {
		return nil, fmt.Errorf("bench: %d sequences, %d tokens after %d, %d times: want at least 1, and no more than the context of %d", o.Batch, o.Tokens, o.Past, o.Repeats, m.Config().Context)
	}
	b, err := newBench(m, o)
	if err != nil {
		return nil, err
	}
	defer b.close()
	if _, err := b.run(ctx, step, 1); err != nil { // to have the workspace in memory
		return nil, err
	}
	var runs []run
	for range o.Repeats {
		r, err := b.run(ctx, step, o.Tokens/step)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return b.result(what, step, runs), nil
}

// A bench is a model loaded and a buffer to probe bandwidth with.
type bench struct {
	Options
	config models.Config
	pool   *kernel.Pool
	shard  *llama.Shard
	memory *kernel.Memory
	buffer []byte
	load   time.Duration
	batch  []llama.Seq
	tokens []int
	held   Memory
	read   int64 // bytes of weights that a pass reads: all but the embedding
}

// probeBytes is read to probe the bandwidth: more than caches hold.
const probeBytes = 256 << 20

func newBench(m models.Checkpoint, o Options) (*bench, error) {
	b := &bench{Options: o, config: m.Config(), pool: kernel.NewPool(o.Threads), batch: make([]llama.Seq, o.Batch)}
	var err error
	if b.memory, err = kernel.NewMemory(probeBytes); err != nil {
		return nil, err
	}
	b.buffer = b.memory.Take(probeBytes)
	for i := range b.buffer {
		b.buffer[i] = byte(i)
	}
	start := time.Now()
	b.shard, err = llama.New(m, 0, b.config.Units(), llama.Options{Pool: b.pool, Path: o.Path})
	if err != nil {
		b.memory.Free()
		b.pool.Close()
		return nil, err
	}
	b.load = time.Since(start)
	embedding, err := m.Unit(0)
	if err != nil {
		b.close()
		return nil, err
	}
	b.read = b.shard.WeightBytes() - embedding.Bytes()
	for i := range max(o.Past, o.Tokens) {
		b.tokens = append(b.tokens, (i*7+3)%b.config.Vocab)
	}
	return b, nil
}

func (b *bench) close() {
	_ = b.shard.Close()
	b.memory.Free()
	b.pool.Close()
}

// run makes new caches, fills them with the past and times the passes.
func (b *bench) run(ctx context.Context, step, passes int) (r run, err error) {
	for i := range b.batch {
		if err := b.shard.Reserve(i, b.Past+b.Tokens); err != nil {
			return r, err
		}
		defer b.shard.Release(i)
	}
	if err := b.fill(ctx); err != nil {
		return r, err
	}
	r.bandwidth = b.Path.Bandwidth(b.pool, b.buffer)
	start := time.Now()
	for at := 0; at < passes*step; at += step {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if err := b.forward(b.Past+at, b.tokens[at:at+step]); err != nil {
			return r, err
		}
	}
	r.seconds = time.Since(start).Seconds()
	r.bandwidth = (r.bandwidth + b.Path.Bandwidth(b.pool, b.buffer)) / 2
	b.held = Memory{b.shard.WeightBytes(), b.shard.KVBytes(), b.shard.WorkspaceBytes()}
	return r, nil
}

// fillRows bounds the rows of a pass that only fills caches.
const fillRows = 256

func (b *bench) fill(ctx context.Context) error {
	for i := range b.batch {
		for at := 0; at < b.Past; at += fillRows {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(fillRows, b.Past-at)
			seq := llama.Seq{ID: i, Past: at, N: n, Tokens: b.tokens[at : at+n]}
			if _, err := b.shard.Forward([]llama.Seq{seq}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) forward(past int, tokens []int) error {
	for i := range b.batch {
		b.batch[i] = llama.Seq{ID: i, Past: past, N: len(tokens), Tokens: tokens}
	}
	_, err := b.shard.Forward(b.batch, nil)
	return err
}

func (b *bench) result(what string, step int, runs []run) *Result {
	passes := float64(b.Tokens / step)
	weights := float64(b.read) * passes
	reads, flops := weights, 0.0
	for at := 0; at < b.Tokens; at += step {
		p := models.Pass{Batch: b.Batch, Tokens: step, Past: b.Past + at}
		for u := range b.config.Units() {
			flops += float64(b.config.FLOPs(u, p))
			reads += float64(b.Batch) * float64(b.config.KVBytes(u, p.Past+step))
		}
	}
	seconds := medianOf(runs, func(r run) float64 { return r.seconds })
	least := slices.MinFunc(runs, func(a, b run) int { return int(1e9 * (a.seconds - b.seconds)) }).seconds
	tokens := float64(b.Batch * b.Tokens)
	return &Result{
		What: what, Model: b.config.Name, Kernel: b.Path.Name(), Threads: b.pool.Threads(), Batch: b.Batch, Past: b.Past, Tokens: b.Tokens,
		TokensPerSec: tokens / seconds, BestTokensPerSec: tokens / least,
		WeightBytesPerSec: weights / seconds, ReadBytesPerSec: reads / seconds, FLOPsPerSec: flops / seconds,
		Bandwidth:      medianOf(runs, func(r run) float64 { return r.bandwidth }),
		BandwidthShare: medianOf(runs, func(r run) float64 { return reads / r.seconds / r.bandwidth }),
		Load:           b.load.Seconds(), Memory: b.held,
	}
}

func medianOf(runs []run, of func(run) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	return sample.Median(values)
}

// Bandwidth returns the bytes per second that threads read from memory, the
// median of repeats.
func Bandwidth(path *kernel.Path, threads, repeats int) (float64, error) {
	pool := kernel.NewPool(threads)
	defer pool.Close()
	memory, err := kernel.NewMemory(probeBytes)
	if err != nil {
		return 0, err
	}
	defer memory.Free()
	buffer := memory.Take(probeBytes)
	for i := range buffer {
		buffer[i] = byte(i)
	}
	rates := make([]float64, max(1, repeats))
	for i := range rates {
		rates[i] = path.Bandwidth(pool, buffer)
	}
	return sample.Median(rates), nil
}

// Peaks returns the rates of the path's multiply-adds on that many threads.
func Peaks(path *kernel.Path, threads int) []kernel.Peak {
	pool := kernel.NewPool(threads)
	defer pool.Close()
	return path.Peaks(pool)
}
