package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/exec/bench"
	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
)

func (a *app) benchCmd() *cobra.Command {
	return group("bench", "Measure this machine's speed with a model, and its limits",
		a.benchModelCmd("decode", "Measure decoding, one token a pass", 64, bench.Decode),
		a.benchModelCmd("prefill", "Measure prefill, all tokens in one pass", 128, bench.Prefill),
		a.benchLimitCmd("bandwidth", "Measure the bandwidth of reading memory", a.benchBandwidth),
		a.benchLimitCmd("peak", "Measure the peak rates of multiply-adds", a.benchPeak))
}

// benchFlags are what every measurement takes.
type benchFlags struct {
	threads, repeats int
	kernel           string
}

func (f *benchFlags) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.threads, "threads", 0, "0: one per CPU")
	cmd.Flags().IntVar(&f.repeats, "repeats", 5, "runs, of which the median counts")
	cmd.Flags().StringVar(&f.kernel, "kernel", "", "kernel path: the fastest if not given")
}

func (f *benchFlags) path() (*kernel.Path, error) {
	switch {
	case f.repeats < 1:
		return nil, usagef("--repeats is %d: want at least 1", f.repeats)
	case f.threads < 0:
		return nil, usagef("--threads is %d: want 0 or more", f.threads)
	case f.kernel != "":
		return kernel.Named(f.kernel)
	}
	return kernel.Default()
}

type benchFunc func(ctx context.Context, m models.Checkpoint, o bench.Options) (*bench.Result, error)

func (a *app) benchModelCmd(what, short string, tokens int, measure benchFunc) *cobra.Command {
	var f benchFlags
	o := bench.Options{Batch: 1, Tokens: tokens}
	model := "demo"
	cmd := &cobra.Command{
		Use: what, Short: short, Args: usageArgs(cobra.NoArgs),
		Example: "edgeshard bench " + what + " -m model.gguf --threads 2",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Path, err = f.path(); err != nil {
				return err
			}
			o.Threads, o.Repeats = f.threads, f.repeats
			return a.benchModel(cmd.Context(), model, o, measure)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&model, "model", "m", model, "checkpoint: a GGUF file, a Hugging Face folder or demo")
	cmd.Flags().IntVar(&o.Tokens, "tokens", o.Tokens, "tokens of each sequence")
	cmd.Flags().IntVar(&o.Past, "past", 0, "tokens before them, in the KV caches")
	cmd.Flags().IntVar(&o.Batch, "batch", o.Batch, "sequences that run together")
	return cmd
}

func (a *app) benchModel(ctx context.Context, ref string, o bench.Options, measure benchFunc) error {
	m, err := models.Open(ref)
	if err != nil {
		return err
	}
	r, err := measure(ctx, m, o)
	if closing := m.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if a.format == "json" {
		return a.json(r)
	}
	a.title("%s of %s, %s kernels, %d threads", r.What, r.Model, r.Kernel, r.Threads)
	a.table([]string{"batch", "past", "tokens", "tokens/s", "best", "weights", "reads", "of bandwidth", "arithmetic", "load"}, [][]string{{
		fmt.Sprint(r.Batch), fmt.Sprint(r.Past), fmt.Sprint(r.Tokens), digits(r.TokensPerSec), digits(r.BestTokensPerSec),
		rateText(r.WeightBytesPerSec, "B/s"), rateText(r.ReadBytesPerSec, "B/s"),
		fmt.Sprintf("%.0f %% of %s", 100*r.BandwidthShare, rateText(r.Bandwidth, "B/s")), rateText(r.FLOPsPerSec, "FLOP/s"), digits(r.Load) + " s",
	}})
	return nil
}

func rateText(v float64, unit string) string { return digits(v/1e9) + " G" + unit }

func (a *app) benchLimitCmd(what, short string, run func(f benchFlags, path *kernel.Path) error) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: what, Short: short, Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			path, err := f.path()
			if err != nil {
				return err
			}
			return run(f, path)
		},
	}
	f.add(cmd)
	return cmd
}

func (a *app) benchBandwidth(f benchFlags, path *kernel.Path) error {
	rate, err := bench.Bandwidth(path, f.threads, f.repeats)
	if err != nil {
		return err
	}
	if a.format == "json" {
		return a.json(map[string]any{"kernel": path.Name(), "read_bytes_per_s": rate})
	}
	a.printf("%s of reading, with %s kernels", rateText(rate, "B/s"), path.Name())
	return nil
}

func (a *app) benchPeak(f benchFlags, path *kernel.Path) error {
	peaks := bench.Peaks(path, f.threads)
	if a.format == "json" {
		return a.json(map[string]any{"kernel": path.Name(), "peaks": peaks})
	}
	if len(peaks) == 0 {
		a.printf("the %s kernels have no probes of peaks", path.Name())
		return nil
	}
	var rows [][]string
	for _, p := range peaks {
		rows = append(rows, []string{p.Name, rateText(p.OpsPerSec, "op/s")})
	}
	a.table([]string{path.Name(), "peak"}, rows)
	return nil
}
