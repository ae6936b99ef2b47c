package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/internal/sample"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// What the demo runs: a story the embedded model tells to its end at temperature 0.
const (
	demoTopology = "local-3"
	demoPrompt   = "Once upon a time"
	demoTokens   = 109

	// quickTokens bounds what a quick measurement generates for a request.
	quickTokens = 128
)

func (a *app) demoCmd() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "The whole story on embedded inputs: plan, simulate, run for real, compare",
		Long: "Plan a small unequal topology, simulate the plan, run it on real worker processes on this machine,\n" +
			"and set predicted beside measured. Takes some seconds and needs no network.",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context()) },
	}
}

// demoResult is what the demo says in JSON.
type demoResult struct {
	Plan       *edgeshard.Plan        `json:"plan"`
	Baselines  []baseline             `json:"baselines"`
	Predicted  *edgeshard.Report      `json:"predicted"`
	Measured   *edgeshard.Report      `json:"measured"`
	Comparison []edgeshard.Difference `json:"comparison"`
}

func (a *app) demo(ctx context.Context) error {
	job, err := a.demoJob(ctx)
	if err != nil {
		return err
	}
	p, _, err := solver.Plan(ctx, job, solver.Options{})
	if err != nil {
		return err
	}
	c, err := p.Costs()
	if err != nil {
		return err
	}
	a.say(func() { a.describePlan(p, c) })
	res := demoResult{Plan: p}
	if res.Baselines, err = baselines(ctx, job, p); err != nil {
		return err
	}
	a.say(func() { a.showBaselines(p, res.Baselines) })
	if res.Predicted, err = simulate(ctx, p); err != nil {
		return err
	}
	if res.Measured, err = a.demoRun(ctx, p); err != nil {
		return err
	}
	res.Comparison = edgeshard.Compare(res.Predicted, res.Measured)
	if a.format == "json" {
		return a.json(res)
	}
	a.showPrediction(res.Comparison)
	a.printf("\n  next: %s", faintStyle.Render("edgeshard tui · edgeshard plan -t edgeshard-testbed -m llama2-7b"))
	return nil
}

// say runs show where people read.
func (a *app) say(show func()) {
	if a.format == "text" {
		show()
	}
}

// demoJob shows the topology and measures this machine, whose speed its devices
// have a share of.
func (a *app) demoJob(ctx context.Context) (job edgeshard.Plan, err error) {
	job.Workload = edgeshard.DefaultWorkload()
	job.Workload.Prompts, job.Workload.Tokens = []string{demoPrompt}, demoTokens
	if job.Topology, err = topologies.Load(demoTopology); err != nil {
		return job, err
	}
	a.say(func() { a.showTopology(job.Topology) })
	if job.Model, err = edgeshard.LoadModel(models.Demo); err != nil {
		return job, err
	}
	if err := countPrompts(&job.Workload, &job.Model, "", false); err != nil {
		return job, err
	}
	profile, took, err := a.demoProbe(ctx, &job)
	if err != nil {
		return job, fmt.Errorf("measuring this machine: %w", err)
	}
	a.say(func() {
		a.printf("\n  measured here in %s s: %s a message, %s a stage, %s a worker", digits(took.Seconds()),
			profile.Hop.Round(time.Microsecond), profile.Stage.Round(time.Microsecond), bytesText(int64(profile.Overhead)))
	})
	lendProfile(&job, profile)
	return job, nil
}

// demoProbe measures what the model costs in a worker process on this machine.
func (a *app) demoProbe(ctx context.Context, job *edgeshard.Plan) (*edgeshard.Profile, time.Duration, error) {
	runner, err := a.demoRunner(nil)
	if err != nil {
		return nil, 0, err
	}
	a.progress("measuring this machine")
	defer a.clear()
	start := time.Now()
	profile, err := runner.Measure(ctx, quickMeasurement(models.Demo, job.Workload, job.Topology))
	return profile, time.Since(start), err
}

const (
	// leastGap is what workers that are measured are apart at least.
	leastGap = 100 * time.Microsecond
	// gapAmong is of how many devices links are looked at: there may be thousands.
	gapAmong = 64
)

// apart returns how far a topology's devices are from one another: the median
// latency of links.
func apart(t *topologies.Topology) time.Duration {
	var latencies []time.Duration
	n := min(len(t.Devices), gapAmong)
	for from := range n {
		for to := range n {
			if from != to {
				latencies = append(latencies, t.Link(from, to).Latency)
			}
		}
	}
	return max(leastGap, sample.Median(latencies))
}

// quickMeasurement is of the passes of one workload alone, in one round, on workers
// that are as far apart as a topology's devices are.
func quickMeasurement(model string, w edgeshard.Workload, t *topologies.Topology) exec.Measurement {
	return exec.Measurement{
		Gap:   apart(t),
		Model: model, Batches: []int{w.MicroBatch}, Prompts: []int{w.PromptTokens, w.PromptTokens, w.PromptTokens, w.PromptTokens},
		// An eighth more: decode is told of by the middles of four stretches, and the
		// last of them is to reach the workload's last pass.
		Tokens: min(w.Tokens*8/7+3, quickTokens),
	}
}

// demoRunner runs workers in processes of their own, as unequal as the topology says.
func (a *app) demoRunner(progress func(exec.Progress)) (*exec.Runner, error) {
	local, err := localWorker()
	if err != nil {
		return nil, err
	}
	return &exec.Runner{Options: exec.Options{Local: local, Threads: 1, Emulate: true, Progress: progress, Log: a.logger()}}, nil
}

// lendProfile gives every device the measured profile. What a device lends is
// beside the runtime's own memory, which differs between machines.
func lendProfile(job *edgeshard.Plan, profile *edgeshard.Profile) {
	for i := range job.Topology.Devices {
		d := &job.Topology.Devices[i]
		d.Usable += profile.Overhead - d.Overhead
		d.Overhead, d.Profile = profile.Overhead, profile.Name
	}
	job.Profiles = map[string]*edgeshard.Profile{profile.Name: profile}
}

// simulate runs a plan in virtual time.
func simulate(ctx context.Context, p *edgeshard.Plan) (*edgeshard.Report, error) {
	rec, r := edgeshard.NewRecorder(p), new(sim.Runner)
	if err := r.Run(ctx, p, rec); err != nil {
		return nil, err
	}
	rep := rec.Report("sim")
	rep.Warnings = p.Predicted.Warnings
	var err error
	rep.Bands, err = r.Bands(ctx, p, time.Now(), p.Workload.Seed)
	return rep, err
}

// demoRun runs the plan on local worker processes and streams the story.
func (a *app) demoRun(ctx context.Context, p *edgeshard.Plan) (*edgeshard.Report, error) {
	runner, err := a.demoRunner(a.demoProgress())
	if err != nil {
		return nil, err
	}
	a.say(func() { a.title("the same plan, for real: a worker process a device, each with its own shard") })
	rec := edgeshard.NewRecorder(p)
	story := a.newStreamer(p, 76)
	err = runner.Run(ctx, p, edgeshard.Tee(rec, story))
	a.clear()
	story.end()
	if err != nil {
		return nil, err
	}
	return rec.Report("exec"), nil
}

// demoProgress tells of every worker that is ready.
func (a *app) demoProgress() func(exec.Progress) {
	weights := make(map[string]int64)
	return func(p exec.Progress) {
		weights[p.Device] = max(weights[p.Device], p.Total)
		if p.State != exec.Ready {
			a.startProgress(p)
			return
		}
		a.clear()
		a.say(func() { a.printf("  %s is ready with %s of weights", p.Device, bytesText(weights[p.Device])) })
	}
}

// showPrediction writes what was predicted beside what was measured.
func (a *app) showPrediction(all []edgeshard.Difference) {
	a.title("predicted and measured")
	var rows [][]string
	for _, d := range all {
		name, text, ok := demoField(d)
		if ok {
			rows = append(rows, []string{name, text(d.A), text(d.B), errorText(d)})
		}
	}
	a.table([]string{"", "predicted", "measured", "error"}, rows)
}

// demoField returns a compared field's name for people and how its value is
// written; ok is false for those the demo leaves out.
func demoField(d edgeshard.Difference) (name string, text func(float64) string, ok bool) {
	if device, found := strings.CutPrefix(d.Field, "devices."); found {
		device, found = strings.CutSuffix(device, ".memory_bytes")
		return "memory of " + device, func(v float64) string { return bytesText(int64(v)) }, found
	}
	switch d.Field {
	case "ttft_ms.mean":
		return "TTFT", msText, true
	case "tpot_ms.mean":
		return "TPOT", msText, true
	case "throughput_tokens_per_s":
		return "throughput", func(v float64) string { return digits(v) + " tokens/s" }, true
	}
	return "", nil, false
}
