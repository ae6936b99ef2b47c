package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/results"
)

// views are further ways to look at a run: a chart, and tables.
type views struct {
	gantt                      bool
	ganttFile, requests, spans string
}

func (v *views) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&v.gantt, "gantt", false, "show what devices and links did over time")
	f.StringVar(&v.ganttFile, "gantt-file", "", "draw that to this file, .svg or .png")
	f.StringVar(&v.requests, "requests-table", "", "write a row for each request to this file, .csv or .parquet")
	f.StringVar(&v.spans, "spans-table", "", "write a row for each span to this file, .csv or .parquet")
}

// check reports a file of a kind that cannot be written.
func (v *views) check() error {
	if e := filepath.Ext(v.ganttFile); v.ganttFile != "" && e != ".svg" && e != ".png" {
		return usagef("--gantt-file is %q: want a file ending in .svg or .png", v.ganttFile)
	}
	for flag, file := range map[string]string{"requests-table": v.requests, "spans-table": v.spans} {
		if e := filepath.Ext(file); file != "" && e != ".csv" && e != ".parquet" {
			return usagef("--%s is %q: want a file ending in .csv or .parquet", flag, file)
		}
	}
	return nil
}

func (v *views) any() bool {
	return v.gantt || v.ganttFile != "" || v.requests != "" || v.spans != ""
}

// write makes the files that are asked for.
func (v *views) write(p *edgeshard.Plan, spans []edgeshard.Span) error {
	if v.ganttFile != "" {
		g := results.NewGantt(p, spans, 1200)
		draw := g.WriteSVG
		if filepath.Ext(v.ganttFile) == ".png" {
			draw = g.WritePNG
		}
		if err := writeFile(v.ganttFile, draw); err != nil {
			return err
		}
	}
	if v.requests != "" {
		if err := writeTable(v.requests, results.Requests(p, spans)); err != nil {
			return err
		}
	}
	if v.spans != "" {
		return writeTable(v.spans, results.Spans(p, spans))
	}
	return nil
}

// show prints the chart.
func (v *views) show(a *app, p *edgeshard.Plan, spans []edgeshard.Span) error {
	if !v.gantt {
		return nil
	}
	a.title("what devices and links did")
	return results.NewGantt(p, spans, 80).WriteText(a.out)
}

func writeTable[Row results.Request | results.Span](file string, rows []Row) error {
	if filepath.Ext(file) == ".parquet" {
		return writeFile(file, func(w io.Writer) error { return results.WriteParquet(w, rows) })
	}
	return writeFile(file, func(w io.Writer) error { return results.WriteCSV(w, rows) })
}

func writeFile(file string, write func(io.Writer) error) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// showExtras prints what a report has only where a workload or a scenario asks for it.
func (a *app) showExtras(r *edgeshard.Report) {
	if r.Attainment > 0 || len(r.Classes) > 0 {
		a.printf("  %.1f %% of the requests kept the objectives: %s requests/s of goodput", 100*r.Attainment, digits(r.Goodput))
	}
	if r.EnergyJ > 0 {
		a.printf("  %s J, %s J a token", digits(r.EnergyJ), digits(r.EnergyPerToken))
	}
	if r.Preemptions > 0 {
		a.printf("  %d micro-batches lost their KV caches to others for a while", r.Preemptions)
	}
	for _, d := range r.Recoveries {
		what := d.Device
		if d.To != "" {
			what = "the link " + d.Device + " → " + d.To
		}
		a.printf("  %s %s at %s s: known after %s ms, planned anew in %s ms, weights loaded in %s ms, KV caches rebuilt in %s ms, %s ms of work lost",
			errorStyle.Render("failure:"), what, digits(d.AtS), digits(d.DetectionMS), digits(d.ReplanMS), digits(d.LoadMS), digits(d.RebuildMS), digits(d.LostMS))
	}
	if r.Failed > 0 {
		a.printf("  %s %d requests", errorStyle.Render("failed:"), r.Failed)
	}
}
