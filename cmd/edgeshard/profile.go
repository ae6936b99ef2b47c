package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/internal/wholefile"
	"github.com/edgeshard/edgeshard/models"
)

func (a *app) profileCmd() *cobra.Command {
	return group("profile", "Measure devices and links, for predictions that match", a.profileDeviceCmd())
}

// deviceFlags say how this machine is measured.
type deviceFlags struct {
	m                    exec.Measurement
	precision, name, out string
	threads              int
}

func (a *app) profileDeviceCmd() *cobra.Command {
	f := deviceFlags{m: exec.Measurement{Batches: []int{1, 2, 4, 8}, Prompts: []int{8, 32, 128}, Tokens: 17, Budget: 45 * time.Second}}
	cmd := &cobra.Command{
		Use: "device", Short: "Measure what a model's units take on this machine",
		Long: "Measure on local worker processes what a model's embedding, blocks and head take on this machine, in\n" +
			"prefill and decode, with batches and pasts of several sizes, and what the software around them takes.\n" +
			"Of a model above 512 MiB, or without weights, a few made-up blocks stand for all: it need not fit.",
		Example: "edgeshard profile device -m model.gguf --threads 1 -o pi5.toml\nedgeshard profile device -m llama2-7b --precision q8_0 -o server-7b.toml",
		Args:    usageArgs(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.profileDevice(cmd.Context(), &f) },
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.m.Model, "model", "m", "", "a checkpoint or a shape")
	fl.StringVar(&f.precision, "precision", "f32", "of the weights made for a model without any")
	fl.BoolVar(&f.m.Synthetic, "synthetic", false, "make weights up even where the model has its own")
	fl.IntVar(&f.threads, "threads", 0, "of the worker; 0: as many as CPUs")
	fl.IntSliceVar(&f.m.Batches, "batch", f.m.Batches, "sequences of a pass")
	fl.IntSliceVar(&f.m.Prompts, "prompt", f.m.Prompts, "prompt tokens, to prefill and to decode after")
	fl.IntVar(&f.m.Tokens, "tokens", f.m.Tokens, "generated after each prompt")
	fl.DurationVar(&f.m.Budget, "budget", f.m.Budget, "begin no further round that would end later")
	fl.StringVar(&f.name, "name", "", "of the machine, in place of its host name")
	fl.StringVarP(&f.out, "output", "o", "", "file to write; without it the profile goes to standard output")
	choices(cmd, "model", models.Names()...)
	choices(cmd, "precision", precisionNames()...)
	return cmd
}

func (a *app) profileDevice(ctx context.Context, f *deviceFlags) (err error) {
	if f.m.Model == "" {
		return usagef("want a model (-m): a checkpoint, a shape or demo")
	}
	if f.m.Precision, err = models.ParsePrecision(f.precision); err != nil {
		return &usageError{err}
	}
	local, err := localWorker()
	if err != nil {
		return err
	}
	f.m.Progress = func(part float64) { a.progress("measuring: %.0f %%", 100*min(part, 1)) }
	r := &exec.Runner{Options: exec.Options{Local: local, Threads: f.threads, Log: a.logger()}}
	start := time.Now()
	p, err := r.Measure(ctx, f.m)
	a.clear()
	if err != nil {
		return err
	}
	p.Version = version()
	if f.name != "" {
		p.Host = f.name
	}
	return a.writeProfile(p, f.out, time.Since(start))
}

// writeProfile writes a profile to a file, or to standard output, and says in the
// first case what it holds.
func (a *app) writeProfile(p *edgeshard.Profile, file string, took time.Duration) error {
	if file != "" {
		p.Name = strings.TrimSuffix(filepath.Base(file), ".toml")
	}
	text, err := p.TOML()
	if err != nil {
		return err
	}
	switch {
	case file == "" && a.format == "json":
		return a.json(p)
	case file == "":
		_, err = a.out.Write(text)
		return err
	}
	if err := wholefile.Write(file, text); err != nil {
		return err
	}
	if a.format == "json" {
		return a.json(p)
	}
	a.showProfile(p, took)
	a.printf("\n  wrote %s: a topology's device refers to it with profile = %q", file, file)
	return nil
}

func (a *app) showProfile(p *edgeshard.Profile, took time.Duration) {
	a.title("profile of %s (%s), %s kernels, %d threads, in %s s", p.Model, p.Precision, p.Kernel, p.Threads, digits(took.Seconds()))
	var rows [][]string
	for _, q := range p.Points {
		if q.From > 1 && q.From < p.Units-1 {
			continue
		}
		rows = append(rows, []string{unitKind(p, q), fmt.Sprint(q.Batch), fmt.Sprint(q.Tokens), fmt.Sprint(q.Past), msText(q.MS)})
	}
	a.table([]string{"each", "batch", "tokens", "past", "time"}, rows)
	us := func(d time.Duration) string { return digits(float64(d)/1e3) + " µs" }
	a.printf("\n  a message %s and %s ns a byte · a stage %s · entering %s · a token %s", us(p.Hop), digits(p.HopByte), us(p.Stage), us(p.Enter), us(p.Token))
	a.printf("  a worker %s · loads %s/s · passes vary by %.1f %%, rounds by %.1f %%", bytesText(int64(p.Overhead)), bytesText(int64(p.Load)), 100*p.Spread.Each, 100*p.Spread.Run)
}

func unitKind(p *edgeshard.Profile, q edgeshard.Point) string {
	switch {
	case q.From == 0:
		return "embedding"
	case q.From == p.Units-1:
		return "head"
	}
	return "block"
}
