package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
)

func (a *app) compareCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Compare two reports field by field: A predicted, B measured",
		Args:  usageArgs(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			var reports [2]*edgeshard.Report
			for i, file := range args {
				data, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				if reports[i], err = edgeshard.ParseReport(file, data); err != nil {
					return err
				}
			}
			return a.compare(args, reports[0], reports[1])
		},
	}
}

func (a *app) compare(files []string, x, y *edgeshard.Report) error {
	differences := edgeshard.Compare(x, y)
	if a.format == "json" {
		return a.json(map[string]any{"a": files[0], "b": files[1], "fields": differences})
	}
	var rows [][]string
	for _, d := range differences {
		rows = append(rows, []string{d.Field, figure(d.A), figure(d.B), errorText(d)})
	}
	a.table([]string{"field", "A " + x.Backend, "B " + y.Backend, "error"}, rows)
	return nil
}

// figure writes a report's number as precisely as a reader needs it.
func figure(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprintf("%d", int64(v))
	}
	return fmt.Sprintf("%.4g", v)
}

func errorText(d edgeshard.Difference) string {
	if !d.Defined {
		return "–"
	}
	return fmt.Sprintf("%+.1f %%", 100*d.Error)
}
