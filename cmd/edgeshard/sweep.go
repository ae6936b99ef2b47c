package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/internal/wholefile"
	"github.com/edgeshard/edgeshard/scenarios"
)

// sweepFlags say where a sweep's results go and how it runs.
type sweepFlags struct {
	out, cache string
	workers    int
	dry, small bool
	again      bool
}

func (a *app) sweepCmd() *cobra.Command {
	var f sweepFlags
	var b backendFlags
	var q queueFlags
	cmd := &cobra.Command{
		Use: "sweep EXPERIMENT.toml", Short: "Run many plans described in one file, on all cores",
		Long: "Run every point of an experiment: plan and simulate it, or run it on real workers where it says backend = \"exec\".\n" +
			"Outcomes are kept in a cache by what they depend on: a second start does only what is missing. Results are\n" +
			"written as results.csv and results.parquet, with the experiment's pictures, tables and report beside them.",
		Example: "edgeshard sweep experiments/bandwidth/experiment.toml -o results\nedgeshard sweep experiment.toml --dry-run",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := q.check(); err != nil {
				return err
			}
			return a.sweep(cmd.Context(), args[0], &f, &b, &q)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.out, "output", "o", "", "folder for the results; default: the experiment's name, with -results")
	fl.StringVar(&f.cache, "cache", "", "folder of kept outcomes; default: .cache in the output folder")
	fl.IntVar(&f.workers, "workers", 0, "points that run at once; 0: as many as CPUs")
	fl.BoolVar(&f.dry, "dry-run", false, "count the points, run a few of them, and say how long the others will take")
	fl.BoolVar(&f.small, "small", false, "run the experiment's small version")
	fl.BoolVar(&f.again, "no-cache", false, "run every point, and keep none")
	fl.StringVar(&q.serve, "serve", "", "share the points out over a NATS server of its own at this host:port; this machine works too")
	q.register(cmd)
	b.credentials.register(cmd)
	cmd.AddCommand(a.sweepWorkCmd())
	return cmd
}

func (a *app) sweep(ctx context.Context, file string, f *sweepFlags, b *backendFlags, q *queueFlags) error {
	spec, err := readSpec(file, f.small)
	if err != nil {
		return err
	}
	s, err := a.newSweep(spec, f, b)
	if err != nil {
		return err
	}
	if f.dry {
		e, err := s.Estimate(ctx)
		if err != nil {
			return err
		}
		return a.showEstimate(&e)
	}
	if _, err := s.Prepare(); err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	leave, err := a.share(ctx, s, f, q)
	if err != nil {
		return err
	}
	defer leave()
	diary := openDiary(f.out, s)
	results, err := s.Run(ctx)
	diary.close(err)
	a.clear()
	if err != nil {
		return err
	}
	return a.finishSweep(s, f.out, results)
}

// readSpec reads an experiment, or its small version.
func readSpec(file string, small bool) (*experiments.Spec, error) {
	data, err := tomlfile.ReadFile(file)
	if err != nil {
		return nil, err
	}
	spec, err := experiments.ParseSpec(file, data)
	if err != nil || !small {
		return spec, err
	}
	return spec.Shrunk()
}

func (a *app) newSweep(spec *experiments.Spec, f *sweepFlags, b *backendFlags) (*experiments.Sweep, error) {
	if f.out == "" {
		f.out = resultsFolder(spec)
	}
	if f.cache == "" {
		f.cache = filepath.Join(f.out, ".cache")
	}
	v, err := exactVersion()
	if err != nil {
		return nil, err
	}
	s := &experiments.Sweep{Spec: spec, Version: v, Cache: &experiments.Cache{Dir: f.cache}, Workers: f.workers, Log: a.warner(), Tell: a.tellSweep()}
	if f.again {
		s.Cache = nil
	}
	s.Backend = b.forSweeps(a)
	return s, nil
}

// resultsFolder is where a sweep's results go unless a flag says otherwise.
func resultsFolder(spec *experiments.Spec) string {
	return strings.TrimSuffix(spec.Name, ".toml") + "-results"
}

// forSweeps returns runners by their backends' names.
func (b *backendFlags) forSweeps(a *app) experiments.Backend {
	return func(name string, sc *scenarios.Scenario) (edgeshard.Runner, error) {
		if sc != nil {
			return nil, errors.New("a scenario needs backend sim")
		}
		of := *b
		of.backend = name
		return of.runner(a)
	}
}

// tellSweep shows progress, at most ten times a second.
func (a *app) tellSweep() func(experiments.Progress) {
	var last time.Time
	return func(p experiments.Progress) {
		if p.Done < p.Total && time.Since(last) < 100*time.Millisecond {
			return
		}
		last = time.Now()
		a.progress("%d of %d points, %d from the cache, %d without a result, %s left", p.Done, p.Total, p.Cached, p.Failed, p.Left.Round(time.Second))
	}
}

func (a *app) showEstimate(e *experiments.Estimate) error {
	if a.format == "json" {
		return a.json(map[string]any{"points": e.Points, "cached": e.Cached, "sampled": e.Sample, "estimated_s": e.Time.Seconds()})
	}
	a.printf("%d points, %d of them in the cache", e.Points, e.Cached)
	if e.Sample > 0 {
		a.printf("about %s for the others, judged by %d of them", e.Time.Round(10*time.Millisecond), e.Sample)
	}
	return nil
}

func writeResults(dir string, t *experiments.Table) ([]string, error) {
	csv, parquet := filepath.Join(dir, "results.csv"), filepath.Join(dir, "results.parquet")
	if err := wholefile.Stream(csv, t.WriteCSV); err != nil {
		return nil, err
	}
	return []string{csv, parquet}, wholefile.Stream(parquet, t.WriteParquet)
}

// finishSweep writes a sweep's files and says what it came to.
func (a *app) finishSweep(s *experiments.Sweep, dir string, results []experiments.Result) error {
	t := experiments.NewTable(s.Spec, s.Version, results)
	files, err := writeResults(dir, t)
	if err != nil {
		return err
	}
	an, err := experiments.Analyse(s.Spec, t)
	if err != nil {
		return err
	}
	report, err := writeReport(dir, an)
	if err != nil {
		return err
	}
	count := make(map[experiments.Status]int)
	for i := range results {
		count[results[i].Status]++
	}
	files = append(files, report...)
	if a.format == "json" {
		return a.json(map[string]any{"points": len(results), "status": count, "files": files})
	}
	parts := []string{}
	for _, s := range []experiments.Status{experiments.OK, experiments.Infeasible, experiments.OOM, experiments.Failed, experiments.Skipped} {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	a.printf("%s: %d points: %s", s.Spec.Name, len(results), strings.Join(parts, ", "))
	return a.showFiles(files)
}
