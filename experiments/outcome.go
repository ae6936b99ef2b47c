package experiments

import (
	"fmt"
	"strings"

	"github.com/edgeshard/edgeshard"
)

// A Status is how a point ended.
type Status string

const (
	OK         Status = "ok"
	Infeasible Status = "infeasible" // no plan fits, or the solver's own does not
	OOM        Status = "oom"        // the run found no memory
	Failed     Status = "failed"
	Skipped    Status = "skipped" // the axis said to stop before it
)

// An Outcome is what a point came to. Outcomes of the simulator hold nothing
// that differs between two runs.
type Outcome struct {
	Status  Status             `json:"status"`
	Error   string             `json:"error,omitempty"`
	Plan    string             `json:"plan,omitempty"` // device[from-to] of each stage, to excluded
	Figures map[string]float64 `json:"figures,omitempty"`
}

// A figure is a number of a plan and its report.
type figure struct {
	name string
	of   func(p *edgeshard.Plan, r *edgeshard.Report) float64
}

// figures are what tables tell of a point, in their order.
var figures = []figure{
	{"objective_ms", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.ObjectiveMS }},
	{"lower_bound_ms", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.Solver.LowerBound }},
	{"objective_mj", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.ObjectiveMJ }},
	{"lower_bound_mj", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.Solver.LowerBoundMJ }},
	{"gap", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.Solver.Gap }},
	{"proved", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return truth(p.Solver.Proved) }},
	{"stages", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return float64(len(p.Stages)) }},
	{"devices_used", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return float64(len(p.Predicted.Memory)) }},
	{"batch_used", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return float64(p.Workload.Batch) }},
	{"micro_batch_used", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return float64(p.Workload.MicroBatch) }},
	{"predicted_ttft_ms", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.Predicted.TTFTMS }},
	{"predicted_tpot_ms", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.Predicted.TPOTMS }},
	{"predicted_throughput", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return p.Predicted.Throughput }},
	{"steady_throughput", func(p *edgeshard.Plan, _ *edgeshard.Report) float64 { return steady(p) }},
	{"ttft_ms", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.TTFT.Mean }},
	{"ttft_p50_ms", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.TTFT.P50 }},
	{"ttft_p99_ms", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.TTFT.P99 }},
	{"tpot_ms", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.TPOT.Mean }},
	{"tpot_p50_ms", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.TPOT.P50 }},
	{"tpot_p99_ms", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.TPOT.P99 }},
	{"latency_ms", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.Latency.Mean }},
	{"throughput", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.Throughput }},
	{"makespan_s", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.MakespanS }},
	{"completed", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return float64(r.Requests) }},
	{"generated_tokens", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return float64(r.Tokens) }},
	{"lost", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return float64(r.Failed) }},
	{"out_of_memory", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return float64(len(r.OOM)) }},
	{"recoveries", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return float64(len(r.Recoveries)) }},
	{"device_utilisation", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return busiestDevice(r) }},
	{"link_utilisation", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return busiestLink(r) }},
	{"bytes_sent", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return sent(r) }},
	{"energy_j", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.EnergyJ }},
	{"goodput", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.Goodput }},
	{"slo_attainment", func(_ *edgeshard.Plan, r *edgeshard.Report) float64 { return r.Attainment }},
}

// steady is the predicted throughput in decode, in tokens/s: prefill left out, as
// where a paper's runs are long.
func steady(p *edgeshard.Plan) float64 {
	sequences := min(p.Workload.Batch, p.Workload.Requests)
	if p.Workload.Schedule == edgeshard.Sequential {
		sequences = min(sequences, p.Workload.MicroBatch)
	}
	if p.Predicted.TPOTMS == 0 {
		return 0
	}
	return 1000 * float64(sequences) / p.Predicted.TPOTMS
}

func figureNames() []string {
	names := make([]string, len(figures))
	for i, f := range figures {
		names[i] = f.name
	}
	return names
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func busiestDevice(r *edgeshard.Report) (most float64) {
	for _, d := range r.Devices {
		most = max(most, d.Utilisation)
	}
	return most
}

func busiestLink(r *edgeshard.Report) (most float64) {
	for _, l := range r.Links {
		most = max(most, l.Utilisation)
	}
	return most
}

func sent(r *edgeshard.Report) (bytes float64) {
	for _, l := range r.Links {
		bytes += float64(l.Bytes)
	}
	return bytes
}

// outcomeOf tells of a plan and the report of its run.
func outcomeOf(p *edgeshard.Plan, r *edgeshard.Report) *Outcome {
	o := &Outcome{Status: OK, Plan: shape(p), Figures: make(map[string]float64, len(figures))}
	for _, f := range figures {
		o.Figures[f.name] = f.of(p, r)
	}
	if len(r.OOM) > 0 {
		o.Status = OOM
		o.Error = fmt.Sprintf("%s lacked %d bytes for request %d", r.OOM[0].Device, r.OOM[0].Missing, r.OOM[0].Request)
	}
	return o
}

// shape writes a plan's stages in one line.
func shape(p *edgeshard.Plan) string {
	var b strings.Builder
	for i, s := range p.Stages {
		if i > 0 {
			b.WriteByte(' ')
		}
		_, _ = fmt.Fprintf(&b, "%s[%d-%d]", s.Name, s.From, s.To)
	}
	return b.String()
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
