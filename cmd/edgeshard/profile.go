package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
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
	return group("profile", "Measure devices and links, for predictions that match", a.profileDeviceCmd(), a.profileLinksCmd(), a.profileImportCmd())
}

// deviceFlags say how this machine is measured.
type deviceFlags struct {
	m                    exec.Measurement
	precision, name, out string
	update               string
	threads              int
}

func (a *app) profileDeviceCmd() *cobra.Command {
	f := deviceFlags{m: exec.Measurement{Batches: []int{1, 2, 4, 8}, Prompts: []int{8, 32, 128}, Tokens: 17, Budget: 45 * time.Second}}
	cmd := &cobra.Command{
		Use: "device", Short: "Measure what a model's units take on this machine",
		Long: "Measure on local worker processes what a model's embedding, blocks and head take on this machine, in\n" +
			"prefill and decode, with batches and pasts of several sizes, and what the software around them takes.\n" +
			"Of a model above 512 MiB, or without weights, a few made-up blocks stand for all: it need not fit.\n" +
			"Measured again with --update, some minutes or hours later, a profile knows how the machine drifts meanwhile.",
		Example: "edgeshard profile device -m model.gguf --threads 1 -o pi5.toml\nedgeshard profile device -m model.gguf --threads 1 --update pi5.toml\nedgeshard profile device -m llama2-7b --precision q8_0 -o server-7b.toml",
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
	fl.DurationVar(&f.m.Gap, "gap", 4*time.Millisecond, "latency between the workers that are measured: as on the links of what is to run")
	fl.DurationVar(&f.m.Budget, "budget", f.m.Budget, "begin no further round that would end later")
	fl.StringVar(&f.name, "name", "", "of the machine, in place of its host name")
	fl.StringVarP(&f.out, "output", "o", "", "file to write; without it the profile goes to standard output")
	fl.StringVar(&f.update, "update", "", "a profile of the same to add another visit to; it is written over unless -o is given")
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
	if f.update != "" {
		if f.m.Base, err = edgeshard.LoadProfile(f.update); err != nil {
			return err
		}
		f.out = cmp.Or(f.out, f.update)
	}
	f.m.Host, f.m.Version = f.name, version()
	local, err := localWorker()
	if err != nil {
		return err
	}
	f.m.Progress = func(part float64) { a.progress("measuring: %.0f %%", 100*min(part, 1)) }
	r := &exec.Runner{Options: exec.Options{Local: local, Threads: f.threads, Log: a.logger()}}
	p, err := r.Measure(ctx, f.m)
	a.clear()
	if err != nil {
		return err
	}
	return a.writeProfile(p, f.out)
}

// writeProfile writes a profile to a file, or to standard output, and says in the
// first case what it holds.
func (a *app) writeProfile(p *edgeshard.Profile, file string) error {
	p.Name = measuredName(file, p.Name)
	show, err := a.keepMeasured(p, file)
	if show {
		a.showProfile(p)
		a.printf("\n  wrote %s: a topology's device refers to it with profile = %q", file, file)
	}
	return err
}

// measuredName is what topologies call a profile that is kept in a file.
func measuredName(file, otherwise string) string {
	if file == "" {
		return otherwise
	}
	return strings.TrimSuffix(filepath.Base(file), ".toml")
}

// keepMeasured writes a profile to a file, if there is one, and to standard output
// in JSON, or in TOML without a file. Otherwise it asks to show people what was written.
func (a *app) keepMeasured(p interface{ TOML() ([]byte, error) }, file string) (show bool, err error) {
	text, err := p.TOML()
	if err == nil && file != "" {
		err = wholefile.Write(file, text)
	}
	switch {
	case err != nil:
		return false, err
	case a.format == "json":
		return false, a.json(p)
	case file == "":
		_, err = a.out.Write(text)
		return false, err
	}
	return true, nil
}

// showProfile writes a line for each kind of unit and shape of pass, with the
// pasts and their times beside one another.
func (a *app) showProfile(p *edgeshard.Profile) {
	a.title("profile of %s (%s), %s kernels, %d threads", p.Model, p.Precision, p.Kernel, p.Threads)
	var rows [][]string
	for _, q := range p.Points {
		kind, shape := unitKind(p, q), fmt.Sprintf("%d × %d", q.Batch, q.Tokens)
		past, took := fmt.Sprint(q.Past), fmt.Sprintf("%.4g", q.MS)
		if n := len(rows); n > 0 && rows[n-1][0] == kind && rows[n-1][1] == shape {
			rows[n-1][2] += ", " + past
			rows[n-1][3] += ", " + took
			continue
		}
		rows = append(rows, []string{kind, shape, past, took})
	}
	a.table([]string{"each", "batch × tokens", "after positions", "ms"}, rows)
	us := func(d time.Duration) string { return digits(float64(d)/1e3) + " µs" }
	if p.Software != (edgeshard.Software{}) {
		a.printf("\n  a message %s and %s ns a byte · a stage %s · entering %s · a token %s · going on %s", us(p.Hop), digits(p.HopByte), us(p.Stage), us(p.Enter), us(p.Token), us(p.Onward))
	}
	if p.Overhead > 0 {
		a.printf("  a worker %s · loads %s/s", bytesText(int64(p.Overhead)), bytesText(int64(p.Load)))
	}
	seen := ""
	if n := len(p.Rounds); n > 0 {
		seen = fmt.Sprintf(" (rounds: %d, visits: %d)", n, p.Visits())
	}
	a.printf("  passes vary by %.1f %%, runs by %.1f %%%s", 100*p.Spread.Each, 100*p.Spread.Run, seen)
}

func unitKind(p *edgeshard.Profile, q edgeshard.Point) string {
	switch q.From {
	case 0:
		return "embedding"
	case p.Units - 1:
		return "head"
	}
	return "block"
}

func (a *app) profileImportCmd() *cobra.Command {
	var model, out string
	cmd := &cobra.Command{
		Use: "import FILE.json", Short: "Make a profile of what llama-bench measured elsewhere",
		Long: "Make a profile from the output of llama-bench -o json (or jsonl), for hardware one does not own. Whole passes\n" +
			"are shared out among the units by their work; messages and the software's own part are not in it.",
		Example: "edgeshard profile import rtx4090.json -m llama2-7b -o rtx4090-7b.toml",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if model == "" {
				return usagef("want the model that was measured (-m)")
			}
			c, err := models.ConfigOf(model)
			if err != nil {
				return err
			}
			data, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			p, err := edgeshard.ImportLlamaBench(args[0], data, c)
			if err != nil {
				return err
			}
			return a.writeProfile(p, out)
		},
	}
	cmd.Flags().StringVarP(&model, "model", "m", "", "the shape of what was measured: a built-in name, a config in TOML or a checkpoint")
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write; without it the profile goes to standard output")
	choices(cmd, "model", models.Names()...)
	return cmd
}
