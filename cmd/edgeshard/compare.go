package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
)

func (a *app) compareCmd() *cobra.Command {
	var tolerance []string
	cmd := &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Compare two reports, and say where the gap comes from: A predicted, B measured",
		Long: "Compare two reports field by field, A predicted and B measured, and rank where the difference comes from.\n" +
			"With --tolerance it fails where a prediction is off by more, so that it can gate a deployment.",
		Example: "edgeshard compare predicted.json measured.json --tolerance 10% --tolerance memory=5%",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := edgeshard.ParseTolerance(tolerance)
			if err != nil {
				return &usageError{err}
			}
			var reports [2]*edgeshard.Report
			for i, file := range args {
				if reports[i], err = readReport(file); err != nil {
					return err
				}
			}
			c := newComparison(reports[0], reports[1], t)
			c.FileA, c.FileB = args[0], args[1]
			if err := a.showComparison(c); err != nil {
				return err
			}
			return c.err()
		},
	}
	toleranceFlag(cmd, &tolerance)
	return cmd
}

func toleranceFlag(cmd *cobra.Command, t *[]string) {
	cmd.Flags().StringSliceVar(t, "tolerance", *t, "fail where a prediction is off by more: 10% for "+strings.Join(edgeshard.MetricNames(), ", ")+", tpot=5% for one")
}

func readReport(file string) (*edgeshard.Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return edgeshard.ParseReport(file, data)
}

// A comparison is what two reports have to do with one another.
type comparison struct {
	FileA   string                 `json:"a,omitempty"`
	FileB   string                 `json:"b,omitempty"`
	Fields  []edgeshard.Difference `json:"fields"`
	Gaps    []edgeshard.Gap        `json:"gaps"`
	Verdict *edgeshard.Verdict     `json:"verdict,omitempty"` // where a tolerance was stated

	a, b *edgeshard.Report
}

func newComparison(a, b *edgeshard.Report, t edgeshard.Tolerance) *comparison {
	c := &comparison{Fields: edgeshard.Compare(a, b), Gaps: edgeshard.Gaps(a, b), a: a, b: b}
	if len(t) > 0 {
		v := edgeshard.Judge(c.Fields, t)
		c.Verdict = &v
	}
	return c
}

// err is a verdict that is not good.
func (c *comparison) err() error {
	if c.Verdict == nil || c.Verdict.OK {
		return nil
	}
	return fmt.Errorf("beyond the tolerance: %s", strings.Join(c.Verdict.Beyond, "; "))
}

func (a *app) showComparison(c *comparison) error {
	if a.format == "json" {
		return a.json(c)
	}
	var rows [][]string
	banded := slices.ContainsFunc(c.Fields, func(d edgeshard.Difference) bool { return d.Band != nil })
	for _, d := range c.Fields {
		row := []string{d.Field, figure(d.A), figure(d.B), errorText(d)}
		if banded {
			row = append(row, bandText(d))
		}
		rows = append(rows, row)
	}
	headers := []string{"field", "A " + c.a.Backend, "B " + c.b.Backend, "error"}
	if banded {
		headers = append(headers, "A's 90 % band")
	}
	a.table(headers, rows)
	a.showGaps(c.Gaps)
	if c.Verdict != nil && c.Verdict.OK {
		a.printf("\nwithin the tolerance")
	}
	return nil
}

// bandText writes the bounds of a prediction, and whether the other is outside.
func bandText(d edgeshard.Difference) string {
	switch {
	case d.Band == nil:
		return ""
	case d.Band.Holds(d.B):
		return figure(d.Band.Low) + " to " + figure(d.Band.High)
	}
	return figure(d.Band.Low) + " to " + figure(d.Band.High) + ": B is outside"
}

// mostGaps is how many of the gaps people are shown.
const mostGaps = 8

// showGaps writes where the difference comes from.
func (a *app) showGaps(gaps []edgeshard.Gap) {
	a.title("where the gap comes from")
	var rows [][]string
	for _, g := range gaps[:min(len(gaps), mostGaps)] {
		if g.Share < 0.005 {
			break
		}
		rows = append(rows, []string{string(g.Part), g.Where, msText(g.A), msText(g.B), fmt.Sprintf("%+.3f ms", g.Gap), fmt.Sprintf("%.0f %%", 100*g.Share)})
	}
	if len(rows) == 0 {
		a.printf("  there is none")
		return
	}
	a.table([]string{"part", "where", "A per token", "B per token", "gap", "of all gaps"}, rows)
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
