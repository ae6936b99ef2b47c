package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/models"
)

func (a *app) modelCmd() *cobra.Command {
	return group("model", "List, show and make models", a.modelListCmd(), a.modelShowCmd(), a.modelSynthCmd())
}

func (a *app) modelListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the built-in models", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			var configs []models.Config
			var rows [][]string
			for _, name := range models.Names() {
				c, _ := models.Builtin(name)
				configs = append(configs, c)
				rows = append(rows, []string{name, fmt.Sprint(c.Layers), fmt.Sprint(c.Dim), fmt.Sprint(c.Heads), fmt.Sprint(c.KVHeads),
					fmt.Sprint(c.Vocab), fmt.Sprint(c.Context), billions(totalParams(c)), bytesText(totalBytes(c, models.F32)), bytesText(totalBytes(c, models.Q4_0))})
			}
			if a.format == "json" {
				return a.json(configs)
			}
			a.table([]string{"model", "blocks", "dim", "heads", "kv", "vocab", "context", "params", "f32", "q4_0"}, rows)
			a.printf("\n%s", faintStyle.Render("demo has weights inside; the others are shapes: plan and simulate them, or make weights with edgeshard model synth"))
			return nil
		},
	}
}

func totalParams(c models.Config) (n int64) {
	for u := range c.Units() {
		n += c.Params(u)
	}
	return n
}

func totalBytes(c models.Config, p models.Precision) (n int64) {
	for u := range c.Units() {
		n += c.WeightBytes(u, p)
	}
	return n
}

func billions(n int64) string {
	if n >= 1e9 {
		return digits(float64(n)/1e9) + " B"
	}
	return digits(float64(n)/1e6) + " M"
}

// unitWork is the work of one kind of unit, as model show prints it.
type unitWork struct {
	Units        string           `json:"units"`
	Kind         string           `json:"kind"`
	Params       int64            `json:"params"`
	WeightBytes  map[string]int64 `json:"weight_bytes"` // by precision
	PrefillFLOPs int64            `json:"prefill_flops"`
	DecodeFLOPs  int64            `json:"decode_flops"`
	KVBytes      int64            `json:"kv_bytes_per_position"`
}

func workOf(c models.Config, prompt int) []unitWork {
	last := c.Layers + 1
	kinds := []unitWork{{Units: "0", Kind: "embedding"}, {Units: fmt.Sprintf("1–%d", c.Layers), Kind: "block"}, {Units: fmt.Sprint(last), Kind: "norm + head"}}
	for i, u := range []int{0, 1, last} {
		w := &kinds[i]
		w.Params, w.WeightBytes, w.KVBytes = c.Params(u), make(map[string]int64), c.KVBytes(u, 1)
		for _, p := range models.Precisions() {
			w.WeightBytes[p.String()] = c.WeightBytes(u, p)
		}
		w.PrefillFLOPs = c.FLOPs(u, models.Pass{Batch: 1, Tokens: prompt})
		w.DecodeFLOPs = c.FLOPs(u, models.Pass{Batch: 1, Tokens: 1, Past: prompt})
	}
	return kinds
}

func (a *app) modelShowCmd() *cobra.Command {
	prompt := 32
	cmd := &cobra.Command{
		Use: "show MODEL", Short: "Show a model's shape and the work of its units", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := models.ConfigOf(args[0])
			if err != nil {
				return err
			}
			work := workOf(c, prompt)
			if a.format == "json" {
				return a.json(map[string]any{"config": c, "units": work, "prompt_tokens": prompt,
					"activation_bytes_per_token": c.ActivationBytes(models.Pass{Batch: 1, Tokens: 1})})
			}
			a.showModel(c, work, prompt)
			return nil
		},
		ValidArgs: models.Names(),
	}
	cmd.Flags().IntVar(&prompt, "prompt-tokens", prompt, "prompt tokens that prefill and decode FLOPs are given for")
	return cmd
}

func (a *app) showModel(c models.Config, work []unitWork, prompt int) {
	a.title("%s", c.Name)
	a.printf("  %d blocks · dim %d · feed-forward %d · %d heads, %d for keys and values · vocabulary %d · context %d",
		c.Layers, c.Dim, c.Hidden, c.Heads, c.KVHeads, c.Vocab, c.Context)
	a.printf("  %s parameters · activations %s a token · KV cache %s a position\n", billions(totalParams(c)),
		bytesText(c.ActivationBytes(models.Pass{Batch: 1, Tokens: 1})), bytesText(int64(c.Layers)*c.KVBytes(1, 1)))
	var rows [][]string
	for _, w := range work {
		rows = append(rows, []string{w.Units, w.Kind, fmt.Sprintf("%.2f M", float64(w.Params)/1e6), bytesText(w.WeightBytes["f32"]), bytesText(w.WeightBytes["f16"]),
			bytesText(w.WeightBytes["q8_0"]), bytesText(w.WeightBytes["q4_0"]), flopsText(w.PrefillFLOPs), flopsText(w.DecodeFLOPs)})
	}
	a.table([]string{"units", "each", "params", "f32", "f16", "q8_0", "q4_0", fmt.Sprintf("prefill %d", prompt), "decode"}, rows)
}

func flopsText(n int64) string {
	switch v := float64(n); {
	case v >= 1e9:
		return digits(v/1e9) + " GFLOP"
	case v >= 1e6:
		return digits(v/1e6) + " MFLOP"
	default:
		return digits(v/1e3) + " kFLOP"
	}
}

type synthFlags struct {
	config, precision, out string
	blocks                 int
	seed                   uint64
}

func (a *app) modelSynthCmd() *cobra.Command {
	var f synthFlags
	cmd := &cobra.Command{
		Use: "synth", Short: "Write a GGUF of seeded random weights in any shape",
		Long:    "Write a GGUF of seeded random weights in any shape and precision, so that real sizes can be run without a download.",
		Example: "edgeshard model synth --config llama2-7b --precision q4_0 --blocks 8 -o 7b-8.gguf",
		Args:    usageArgs(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.synth(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "shape: a built-in model, a TOML config or a checkpoint")
	cmd.Flags().StringVar(&f.precision, "precision", "q4_0", "of the matrices")
	cmd.Flags().IntVar(&f.blocks, "blocks", 0, "decoder blocks; 0: the shape's own")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "of the weights")
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "file to write")
	choices(cmd, "config", models.Names()...)
	choices(cmd, "precision", precisionNames()...)
	return cmd
}

// synth writes to a file beside the one asked for, which takes its place when
// whole: a run cut short leaves nothing half-done.
func (a *app) synth(ctx context.Context, f synthFlags) (err error) {
	if f.config == "" || f.out == "" {
		return usagef("want a shape (--config) and a file (-o)")
	}
	cfg, err := models.ConfigOf(f.config)
	if err != nil {
		return err
	}
	p, err := models.ParsePrecision(f.precision)
	if err != nil {
		return &usageError{err}
	}
	total, err := models.SynthSize(cfg, p, f.blocks)
	if err != nil {
		return err
	}
	part := f.out + ".part"
	file, err := os.Create(part)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part))
		}
	}()
	w := bufio.NewWriterSize(&counter{w: file, tell: func(n int64) {
		a.progress("%s of %s (%d %%)", bytesText(n), bytesText(total), 100*n/total)
	}}, 1<<20)
	err = errors.Join(models.WriteSynth(ctx, w, cfg, p, f.blocks, f.seed), w.Flush(), file.Close())
	a.clear()
	if err != nil {
		return err
	}
	if err := os.Rename(part, f.out); err != nil {
		return err
	}
	a.printf("wrote %s: %s", f.out, bytesText(total))
	return nil
}

// counter tells how much has been written, at every write.
type counter struct {
	w    io.Writer
	n    int64
	tell func(int64)
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
