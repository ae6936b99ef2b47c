package fidelity

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/sample"
)

// metrics are what is compared, by the name of a report's field.
var metrics = []struct{ name, field string }{
	{"tpot", "tpot_ms.mean"}, {"ttft", "ttft_ms.mean"}, {"throughput", "throughput_tokens_per_s"}, {"makespan", "makespan_s"},
}

const memoryMetric = "memory"

// A Result is what the experiment came to; errors and deviations are relative.
type Result struct {
	Configurations int `json:"configurations"`
	Runs           int `json:"runs"`

	MAPE map[string]float64 `json:"mape"` // of the configurations' means, by metric
	P95  map[string]float64 `json:"p95"`  // 95th percentile of the same errors
	Bias map[string]float64 `json:"bias"` // mean of the signed errors
	// Noise is the mean, over configurations, of the standard deviation of repeats:
	// what no prediction can be better than for a single run.
	Noise map[string]float64 `json:"noise"`
	// InNoise is the mean error in terms of what the mean of so many repeats is off by
	// itself, Noise/√repeats: of a perfect prediction it would be 0.8.
	InNoise map[string]float64 `json:"mape_in_noise"`
	// BesideDrift is the mean error after each run has been divided by what the runs of
	// other jobs around it were slower than predicted: see drift.
	BesideDrift map[string]float64 `json:"mape_beside_drift"`
	// Coverage is the part of runs within their predicted band of 90 %.
	Coverage map[string]float64 `json:"coverage"`
	Ranking  Ranking            `json:"ranking"`
	// Gaps is what each part of the way contributes to the error of the time per
	// token, relative to that: the mean over configurations of the signed sums.
	Gaps map[edgeshard.Part]float64 `json:"gaps"`
	// Bandwidth is the deviation of what the machine's memory gave before each run.
	Bandwidth float64 `json:"bandwidth_deviation"`
	MostCores float64 `json:"most_cores"` // that computations came to at once, of all runs

	Profiles []edgeshard.Origin `json:"profiles"`
	Each     []Outcome          `json:"each"`
}

// An Outcome is one configuration, predicted and measured.
type Outcome struct {
	Name      string             `json:"name"`
	Model     string             `json:"model"`
	Devices   int                `json:"devices"`
	Schedule  edgeshard.Schedule `json:"schedule"`
	Stages    []edgeshard.Stage  `json:"stages"`
	Predicted map[string]float64 `json:"predicted"`
	Measured  map[string]float64 `json:"measured"` // mean of the runs
	Error     map[string]float64 `json:"error"`    // (predicted − measured) / measured
	Noise     map[string]float64 `json:"noise"`    // standard deviation of the runs / mean
	Warnings  []string           `json:"warnings,omitempty"`

	PredictedStages []stageTime `json:"predicted_stages"`
	Gaps            []gap       `json:"gaps"` // the largest first
	Runs            []run       `json:"runs"`
}

// Result sums up what has been measured so far. Configurations that have not run
// are left out.
func (e *Experiment) Result(ctx context.Context) (*Result, error) {
	all, err := e.runs()
	if err != nil {
		return nil, err
	}
	byName := make(map[string][]run)
	for _, r := range all {
		byName[r.Configuration] = append(byName[r.Configuration], r)
	}
	res := &Result{
		MAPE: map[string]float64{}, P95: map[string]float64{}, Bias: map[string]float64{}, Noise: map[string]float64{}, Coverage: map[string]float64{},
		InNoise: map[string]float64{}, BesideDrift: map[string]float64{},
	}
	origins := make(map[string]edgeshard.Origin)
	for i := range e.configurations {
		c := &e.configurations[i]
		if runs := byName[c.name]; len(runs) > 0 {
			o, err := c.outcome(ctx, runs)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			res.Each = append(res.Each, *o)
			origins[c.job.Model] = c.plan.Profiles[c.job.Model].Origin
		}
	}
	if len(res.Each) == 0 {
		return nil, fmt.Errorf("nothing has been measured yet")
	}
	for _, name := range slices.Sorted(maps.Keys(origins)) {
		res.Profiles = append(res.Profiles, origins[name])
	}
	res.sum()
	jobs := make(map[string]string)
	for i := range e.configurations {
		jobs[e.configurations[i].name] = e.configurations[i].job.Name
	}
	res.rank(jobs)
	res.drift(jobs)
	return res, nil
}

// outcome sets a configuration's prediction beside the mean of its runs.
func (c *configuration) outcome(ctx context.Context, runs []run) (*Outcome, error) {
	rep, stages, err := c.predict(ctx)
	if err != nil {
		return nil, err
	}
	o := &Outcome{
		Name: c.name, Model: c.job.Model, Devices: len(c.job.Slowdowns), Schedule: c.job.Schedule, Stages: c.plan.Stages,
		Predicted: rep.Headline(), Measured: map[string]float64{}, Error: map[string]float64{}, Noise: map[string]float64{},
		Warnings: c.plan.Warnings(), Runs: runs, PredictedStages: stages, Gaps: gapsOf(rep, runs),
	}
	for i := range runs {
		if err := c.band(ctx, &runs[i]); err != nil {
			return nil, err
		}
	}
	for name, n := range c.plan.Predicted.Memory {
		o.Predicted[memoryField(name)] = float64(n)
	}
	for field, v := range o.Predicted {
		values := o.values(field)
		mean, deviation := sample.Moments(values)
		o.Measured[field], o.Error[field], o.Noise[field] = mean, relative(v-mean, mean), relative(deviation, mean)
	}
	return o, nil
}

func memoryField(device string) string { return "devices." + device + ".memory_bytes" }

// compared tells whether a field of a report is of a metric.
func compared(field string) bool {
	return strings.HasPrefix(field, "devices.") || slices.ContainsFunc(metrics, func(m struct{ name, field string }) bool { return m.field == field })
}

// values returns a field of every run.
func (o *Outcome) values(field string) []float64 {
	values := make([]float64, len(o.Runs))
	for i, r := range o.Runs {
		v, ok := r.Measured[field]
		for device, n := range r.Memory {
			if memoryField(device) == field {
				v, ok = float64(n), true
			}
		}
		if ok {
			values[i] = v
		}
	}
	return values
}

func relative(v, of float64) float64 {
	if of == 0 {
		return 0
	}
	return v / math.Abs(of)
}

// fields returns the fields that a metric stands for in a configuration.
func (o *Outcome) fields(metric string) []string {
	for _, m := range metrics {
		if m.name == metric {
			return []string{m.field}
		}
	}
	var fields []string
	for field := range o.Predicted {
		if strings.HasPrefix(field, "devices.") {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return fields
}

// error returns a metric's error: of memory the mean over devices of their sizes.
func (o *Outcome) error(metric string) (absolute, signed, noise float64) {
	fields := o.fields(metric)
	for _, f := range fields {
		n := float64(len(fields))
		absolute, signed, noise = absolute+math.Abs(o.Error[f])/n, signed+o.Error[f]/n, noise+o.Noise[f]/n
	}
	return absolute, signed, noise
}

func names() []string {
	var all []string
	for _, m := range metrics {
		all = append(all, m.name)
	}
	return append(all, memoryMetric)
}

// sum fills in the figures over all configurations.
func (r *Result) sum() {
	r.Configurations = len(r.Each)
	for _, metric := range names() {
		r.sumErrors(metric)
	}
	r.Gaps = make(map[edgeshard.Part]float64)
	var bandwidths []float64
	for i := range r.Each {
		o := &r.Each[i]
		for _, g := range o.Gaps {
			r.Gaps[g.Part] += relative(g.MS, o.Measured["tpot_ms.mean"]) / float64(len(r.Each))
		}
		r.Runs += len(o.Runs)
		for _, one := range o.Runs {
			bandwidths = append(bandwidths, one.Bandwidth)
			r.MostCores = max(r.MostCores, one.Most)
		}
	}
	mean, deviation := sample.Moments(bandwidths)
	r.Bandwidth = relative(deviation, mean)
}

// sumErrors sums up a metric's errors, and how many of its values the bands held.
func (r *Result) sumErrors(metric string) {
	var errors []float64
	held, of, repeats := 0, 0, 0.0
	for i := range r.Each {
		o := &r.Each[i]
		absolute, signed, noise := o.error(metric)
		errors = append(errors, absolute)
		n := float64(len(r.Each))
		r.Bias[metric] += signed / n
		r.Noise[metric] += noise / n
		repeats += float64(len(o.Runs)) / n
		for _, f := range o.fields(metric) {
			for k, v := range o.values(f) {
				of++
				if o.Runs[k].Bands[f].Holds(v) {
					held++
				}
			}
		}
	}
	r.MAPE[metric], _ = sample.Moments(errors)
	r.InNoise[metric] = relative(r.MAPE[metric], r.Noise[metric]/math.Sqrt(repeats))
	slices.Sort(errors)
	r.P95[metric] = errors[(len(errors)*95+99)/100-1]
	r.Coverage[metric] = float64(held) / float64(of)
}
