package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/internal/wholefile"
)

func (a *app) plotCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "plot RESULTS SPEC.toml", Short: "Draw a sweep's results",
		Long: "Draw results.csv or results.parquet as the [[plot]] tables of SPEC.toml say: lines with bands of confidence, bars,\n" +
			"heat maps, distributions, scatter and Pareto fronts, as SVG or PNG. An experiment's own file will do.",
		Example: "edgeshard plot results/results.parquet plots.toml -o pictures",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			an, err := analyse(args)
			if err != nil {
				return err
			}
			if len(an.Pictures) == 0 {
				return usagef("%s has no [[plot]]", args[1])
			}
			files, err := writePictures(out, an)
			if err != nil {
				return err
			}
			return a.showFiles(files)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", ".", "folder for the pictures")
	return cmd
}

func (a *app) reportCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "report RESULTS SPEC.toml", Short: "Make a report of a sweep's results",
		Long: "Make one page of HTML, which needs no network, and one of Markdown: what was published beside what came out,\n" +
			"comparisons in pairs with confidence intervals, the pictures and all results.",
		Example: "edgeshard report results/results.csv experiment.toml -o results",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			an, err := analyse(args)
			if err != nil {
				return err
			}
			files, err := writeReport(out, an)
			if err != nil {
				return err
			}
			return a.showFiles(files)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", ".", "folder for the report")
	return cmd
}

// analyse reads results and what is to be made of them.
func analyse(args []string) (*experiments.Analysis, error) {
	spec, err := readSpec(args[1], false)
	if err != nil {
		return nil, err
	}
	t, err := experiments.ReadTable(args[0])
	if err != nil {
		return nil, err
	}
	return experiments.Analyse(spec, t)
}

// showFiles says which files were written.
func (a *app) showFiles(files []string) error {
	if a.format == "json" {
		return a.json(map[string]any{"files": files})
	}
	for _, f := range files {
		a.printf("wrote %s", f)
	}
	return nil
}

func writePictures(dir string, an *experiments.Analysis) (files []string, err error) {
	for _, p := range an.Pictures {
		file := filepath.Join(dir, p.File)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return files, err
		}
		if err := wholefile.Write(file, p.Data); err != nil {
			return files, err
		}
		files = append(files, file)
	}
	return files, nil
}

// writeReport writes the page, its Markdown and the pictures that it names.
func writeReport(dir string, an *experiments.Analysis) ([]string, error) {
	files, err := writePictures(dir, an)
	if err != nil {
		return files, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return files, err
	}
	html, markdown := filepath.Join(dir, "report.html"), filepath.Join(dir, "report.md")
	err = errors.Join(wholefile.Stream(html, an.WriteHTML), wholefile.Write(markdown, []byte(an.Markdown())))
	return append(files, html, markdown), err
}
