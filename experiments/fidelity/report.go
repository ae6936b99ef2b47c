package fidelity

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/internal/wholefile"
)

// Write writes result.json, table.md and a picture of each metric into the
// experiment's folder, and returns their names.
func (e *Experiment) Write(r *Result) ([]string, error) {
	data, err := wholefile.JSON(r)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"result.json": data, "table.md": []byte(r.Table())}
	for _, name := range []string{"tpot", "ttft"} {
		var b bytes.Buffer
		if err := r.plot(name).Draw(&b, r.rows(name)); err != nil {
			return nil, err
		}
		files[name+".svg"] = b.Bytes()
	}
	var written []string
	for _, name := range []string{"result.json", "table.md", "tpot.svg", "ttft.svg"} {
		file := filepath.Join(e.Dir, name)
		if err := wholefile.Write(file, files[name]); err != nil {
			return written, err
		}
		written = append(written, file)
	}
	return written, nil
}

// plot is predicted against measured, the diagonal being a perfect prediction.
func (r *Result) plot(metric string) *experiments.Plot {
	title := map[string]string{"tpot": "Time per output token", "ttft": "Time to first token"}[metric]
	return &experiments.Plot{
		File: metric + ".svg", Kind: "agreement", Title: title + ", predicted and measured",
		X: "predicted", Y: "measured", Series: "model", XLabel: "predicted, ms", YLabel: "measured, ms (each run)", LogX: true, LogY: true,
	}
}

// rows returns a row for each run.
func (r *Result) rows(metric string) *experiments.Table {
	t := &experiments.Table{Columns: []string{"configuration", "model", "predicted", "measured"}}
	for i := range r.Each {
		o := &r.Each[i]
		field := o.fields(metric)[0]
		for _, v := range o.values(field) {
			t.Rows = append(t.Rows, []any{o.Name, o.Model, o.Predicted[field], v})
		}
	}
	return t
}

// Table is the result in Markdown: the sums, then every configuration.
func (r *Result) Table() string {
	var b strings.Builder
	percent := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
	fmt.Fprintf(&b, "%d configurations, %d runs. Of pairs of plans of one job that differ by more than their noise, %d of %d (%s) are predicted in the right order; %d more differ by less.\n\n",
		r.Configurations, r.Runs, r.Ranking.Right, r.Ranking.Pairs, percent(r.Ranking.Accuracy), r.Ranking.Alike)
	for _, wrong := range r.Ranking.Wrong {
		fmt.Fprintf(&b, "- wrong in %s\n", wrong)
	}
	b.WriteString("\n| | mean error | 95th percentile | bias | noise of a run | error in noises of the mean | error beside the drift | within the 90 % band |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range names() {
		beside := "–"
		if v, ok := r.BesideDrift[m]; ok {
			beside = percent(v)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %+.1f %% | %s | %.1f | %s | %s |\n", m, percent(r.MAPE[m]), percent(r.P95[m]), 100*r.Bias[m], percent(r.Noise[m]), r.InNoise[m], beside, percent(r.Coverage[m]))
	}
	b.WriteString("\n| configuration | devices | TPOT predicted, ms | measured | error | noise | TTFT predicted, ms | measured | error | noise | throughput error | makespan error | memory error |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range r.Each {
		o := &r.Each[i]
		memory, _, _ := o.error(memoryMetric)
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %+.1f %% | %+.1f %% | %s |\n", o.Name, o.Devices,
			o.cells("tpot_ms.mean"), percent(o.Noise["tpot_ms.mean"]), o.cells("ttft_ms.mean"), percent(o.Noise["ttft_ms.mean"]),
			100*o.Error["throughput_tokens_per_s"], 100*o.Error["makespan_s"], percent(memory))
	}
	return b.String()
}

func (o *Outcome) cells(field string) string {
	return fmt.Sprintf("%.4g | %.4g | %+.1f %%", o.Predicted[field], o.Measured[field], 100*o.Error[field])
}
