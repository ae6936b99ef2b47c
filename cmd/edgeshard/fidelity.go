package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/bench"
	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/experiments/fidelity"
	"github.com/edgeshard/edgeshard/models"
)

// fidelityFlags say what of the experiment is done.
type fidelityFlags struct {
	only, weights     string
	within            time.Duration
	profile, evaluate bool
}

func (a *app) fidelityCmd() *cobra.Command {
	var f fidelityFlags
	cmd := &cobra.Command{
		Use: "fidelity SPEC.toml", Short: "Set predictions beside measurements on this machine, over many configurations",
		Long: "Measure the profiles that a specification's models lack, predict its configurations from them, run each on\n" +
			"local workers several times, and write result.json, a table and pictures beside the specification. What has\n" +
			"been measured is kept in runs.jsonl: a run that was cut short goes on where it was.",
		Example: "edgeshard fidelity experiments/fidelity/fidelity.toml\nedgeshard fidelity experiments/fidelity/fidelity.toml --evaluate",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.fidelity(cmd.Context(), args[0], &f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.only, "only", "", "measure configurations whose name matches this regular expression")
	fl.StringVar(&f.weights, "weights-dir", filepath.Join(os.TempDir(), "edgeshard-fidelity"), "folder for weights that are made up")
	fl.DurationVar(&f.within, "within", 24*time.Hour, "begin no run after this time")
	fl.BoolVar(&f.profile, "profile", false, "measure profiles only")
	fl.BoolVar(&f.evaluate, "evaluate", false, "measure nothing, only sum up")
	return cmd
}

func (a *app) fidelity(ctx context.Context, file string, f *fidelityFlags) error {
	only, err := regexp.Compile(f.only)
	if err != nil {
		return usagef("--only: %w", err)
	}
	spec, err := fidelity.ReadSpec(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.weights, 0o755); err != nil {
		return err
	}
	bench, err := a.fidelityBench()
	if err != nil {
		return err
	}
	e := &fidelity.Experiment{Spec: spec, Bench: bench, Dir: filepath.Dir(file), Weights: f.weights}
	until := time.Now().Add(f.within)
	if !f.evaluate {
		done, err := e.Profile(ctx, until)
		if err := a.timeIsUp(done, err, "not every profile has been measured"); err != nil || !done || f.profile {
			return err
		}
	}
	if err := e.Prepare(ctx); err != nil {
		return err
	}
	if !f.evaluate {
		done, err := e.Measure(ctx, only, until)
		if err := a.timeIsUp(done, err, "not everything has run"); err != nil {
			return err
		}
	}
	return a.fidelityResult(ctx, e)
}

// timeIsUp says what of a part of the experiment is left; it returns the part's error.
func (a *app) timeIsUp(done bool, err error, left string) error {
	a.clear()
	if err == nil && !done {
		a.printf("time is up: %s; the same command goes on", left)
	}
	return err
}

func (a *app) fidelityResult(ctx context.Context, e *fidelity.Experiment) error {
	r, err := e.Result(ctx)
	if err != nil {
		return err
	}
	files, err := e.Write(r)
	if err != nil {
		return err
	}
	if a.format == "json" {
		return a.json(r)
	}
	a.printf("%s", r.Table())
	return a.showFiles(files)
}

// fidelityBench lets the experiment use this machine, a thread a worker.
func (a *app) fidelityBench() (*fidelity.Bench, error) {
	runner, err := a.demoRunner(nil)
	if err != nil {
		return nil, err
	}
	path, err := kernel.Default()
	if err != nil {
		return nil, err
	}
	return &fidelity.Bench{
		Visit: func(ctx context.Context, m *fidelity.Model, ref string, base *edgeshard.Profile) (*edgeshard.Profile, error) {
			return visit(ctx, runner, m, ref, base)
		},
		Run:       runner.Run,
		Bandwidth: func() (float64, error) { return bench.Bandwidth(path, 1, 3) },
		Progress:  func(format string, args ...any) { a.progress(format, args...) },
	}, nil
}

// visit measures a model of an experiment once, in addition to what was before.
func visit(ctx context.Context, r *exec.Runner, m *fidelity.Model, ref string, base *edgeshard.Profile) (*edgeshard.Profile, error) {
	precision, err := models.ParsePrecision(m.Precision)
	if err != nil {
		return nil, err
	}
	s, err := r.Survey(ctx, exec.Measurement{
		Model: ref, Precision: precision, Batches: m.Batches, Prompts: m.Prompts, Tokens: m.Tokens, Gap: time.Duration(m.Gap), Base: base, Version: version(),
	})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Round(ctx, func(float64) {}); err != nil {
		return nil, err
	}
	p, err := s.Profile()
	if err == nil {
		p.Host = "" // results are for all to read
	}
	return p, err
}
