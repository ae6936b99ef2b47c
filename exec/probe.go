package exec

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

const (
	// probeGap is the latency between the workers of a probe. It leaves them idle
	// between passes, as in a pipeline: caches cool and clocks fall.
	probeGap = time.Millisecond
	// probeSlowdown is that of its workers, whose times are divided by it: a slowed
	// worker computes after a longer sleep, and so from colder caches.
	probeSlowdown = 10
	// probeRepeats is how often a probe runs its workload.
	probeRepeats = 3
	// probeTokens and probeBins bound what a probe generates for a request, and
	// into how many points over the past its decode passes go.
	probeTokens, probeBins = 96, 4
	// leastOwn is the part of a stage's time that is its units' at least: no unit
	// takes no time at all.
	leastOwn = 0.1
)

// Probe measures what a model costs on this machine, the way it will be run: on
// three local workers, the first with the embedding, the second with one block
// and the head, the third with the other blocks, passes of the workload's
// micro-batch going through them one at a time. The profile gives the typical
// time of the units in prefill and along decode, and
//
//   - Stage: what a pass costs a stage whatever its units, from the stages of one
//     block and of many. Caches are cold by then, and threads asleep.
//   - Hop: what a token's way around takes beyond computing and the links, per
//     message. The coordinator's part in it is counted in.
//   - Overhead: the memory of a worker process beyond weights, KV caches and
//     workspace; 0 where workers have no processes of their own.
//
// It takes some seconds for the demo model's size.
func (r *Runner) Probe(ctx context.Context, model string, w edgeshard.Workload) (*edgeshard.Profile, error) {
	p, err := probePlan(model, w)
	if err != nil {
		return nil, err
	}
	options := r.Options
	options.Emulate = true
	o := &probeObserver{plan: p, stages: make(map[int][]edgeshard.Span), memory: make(map[int]int64), loaded: make(map[int]int64)}
	if err := (&Runner{options}).Run(ctx, p, o); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	threads := options.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	profile := &edgeshard.Profile{
		Name: "probe", Model: p.Model.Config.Name, Units: p.Model.Config.Units(),
		Provenance: fmt.Sprintf("probed on %s/%s with %d threads, %s", runtime.GOOS, runtime.GOARCH, threads, time.Now().UTC().Format(time.RFC3339)),
		Software:   edgeshard.Software{Hop: o.hop(), Stage: o.stage()}, Points: o.points(),
	}
	if options.Local != nil {
		profile.Overhead = topologies.Bytes(o.overhead())
	}
	return profile, profile.Validate()
}

// probePlan makes stages of the embedding, one block, the other blocks and the head.
func probePlan(model string, w edgeshard.Workload) (*edgeshard.Plan, error) {
	c, err := models.ConfigOf(model)
	if err != nil {
		return nil, err
	}
	var devices [3]topologies.Device
	for i := range devices {
		devices[i] = topologies.Device{
			Name: fmt.Sprintf("probe-%d", i), Memory: math.MaxInt64 / 4, Usable: math.MaxInt64 / 4, FLOPS: 1, MemoryBandwidth: 1, Slowdown: probeSlowdown,
		}
	}
	t, err := topologies.New("probe", devices[:], 0, func(int, int) topologies.Link {
		return topologies.Link{Bandwidth: 1e12, Latency: probeGap}
	})
	if err != nil {
		return nil, err
	}
	w.Tokens = min(w.Tokens, probeTokens)
	w.Batch, w.Requests, w.Rate, w.IgnoreEOS = w.MicroBatch, probeRepeats*w.MicroBatch, 0, true
	w.Prompts, w.PromptLengths, w.Schedule, w.Admission = nil, nil, edgeshard.Sequential, ""
	p := &edgeshard.Plan{Model: edgeshard.ModelRef{Ref: model, Config: c}, Topology: t, Workload: w}
	for _, s := range []edgeshard.Stage{
		{Device: 0, From: 0, To: 1}, {Device: 1, From: 1, To: 2}, {Device: 2, From: 2, To: c.Layers + 1},
		{Device: 1, From: c.Layers + 1, To: c.Units()},
	} {
		if s.From < s.To { // a model of one block has no others
			s.Name = devices[s.Device].Name
			p.Stages = append(p.Stages, s)
		}
	}
	return p, nil
}

// A probeObserver collects what a probe's run shows.
type probeObserver struct {
	plan   *edgeshard.Plan
	stages map[int][]edgeshard.Span // Compute, in order
	memory map[int]int64            // by device
	loaded map[int]int64            // weights, by device
}

func (o *probeObserver) Text(int, int, string) {}

func (o *probeObserver) Span(s edgeshard.Span) {
	switch s.What {
	case edgeshard.Compute:
		o.stages[s.Stage] = append(o.stages[s.Stage], s)
	case edgeshard.Memory:
		o.memory[s.Device] = s.Bytes
	case edgeshard.Load:
		o.loaded[s.Device] = s.Bytes
	}
}

// stage returns the part of a decode pass that a stage of one block has in common
// with one of many; 0 where the model has too few blocks to tell.
func (o *probeObserver) stage() time.Duration {
	many := o.plan.Stages[2].To - o.plan.Stages[2].From
	if len(o.plan.Stages) < 4 || many < 2 {
		return 0
	}
	decode := func(stage int) float64 { return median(o.durations(stage, 1, o.plan.Workload.Tokens)) }
	one := decode(1)
	block := (decode(2) - one) / float64(many-1)
	return time.Duration(min(max(0, one-block), decode(0), decode(3)))
}

// points returns the typical times: one for prefill, and one for each stretch of decode.
func (o *probeObserver) points() []edgeshard.Point {
	w, fixed := &o.plan.Workload, float64(o.stage())
	var points []edgeshard.Point
	for i, s := range o.plan.Stages {
		point := func(tokens, lo, hi int) {
			past := 0
			if lo > 0 {
				past = w.PromptTokens + (lo+hi)/2 - 1
			}
			t := typical(o.durations(i, lo, hi))
			t = max(t-fixed, leastOwn*t) / float64(s.To-s.From)
			points = append(points, edgeshard.Point{
				From: s.From, To: s.To, Batch: w.MicroBatch, Tokens: tokens, Past: past, MS: t / 1e6,
			})
		}
		point(w.PromptTokens, 0, 0)
		steps := w.Tokens - 1
		bins := min(probeBins, steps)
		for b := range bins {
			point(1, 1+b*steps/bins, (b+1)*steps/bins)
		}
	}
	return points
}

// durations returns the compute times of a stage in steps lo to hi, in ns.
func (o *probeObserver) durations(stage, lo, hi int) []float64 {
	var d []float64
	for _, s := range o.stages[stage] {
		if lo <= s.Step && s.Step <= hi {
			d = append(d, float64(s.End-s.Start)/probeSlowdown)
		}
	}
	return d
}

// hop returns what a loop typically takes beyond computing and latency, by its
// messages.
func (o *probeObserver) hop() time.Duration {
	var d []float64
	messages := time.Duration(len(o.plan.Stages)) // one into each stage but the first, and the return
	for i := 1; i < len(o.stages[0]); i++ {
		if o.stages[0][i].Step == 0 {
			continue
		}
		rest := o.stages[0][i].Start - o.stages[0][i-1].Start - messages*probeGap
		for _, spans := range o.stages {
			rest -= spans[i-1].End - spans[i-1].Start
		}
		d = append(d, float64(rest/messages))
	}
	return time.Duration(max(0, typical(d)))
}

// overhead returns the median of what the workers held beyond what a plan
// accounts for.
func (o *probeObserver) overhead() int64 {
	var beyond []float64
	foot := o.plan.Footprint()
	none := func(int) int64 { return 0 }
	accounted := foot.Peaks(o.plan.Stages, len(o.plan.Topology.Devices), none)
	for _, s := range o.plan.Stages {
		for u := s.From; u < s.To; u++ {
			accounted[s.Device] -= foot.Weights(u) // their precision is the checkpoint's, not the plan's
		}
	}
	for d, held := range o.memory {
		beyond = append(beyond, float64(max(0, held-accounted[d]-o.loaded[d])))
	}
	return int64(median(beyond))
}

// typical returns the mean of values, which it sorts, but for the slowest
// fiftieth: what a run's own mean will be, without the rare stall. Of fewer than
// fifty it is the median, since a stall would count too much.
func typical(values []float64) float64 {
	if len(values) < 50 {
		return median(values)
	}
	slices.Sort(values)
	values = values[:len(values)-len(values)/50]
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// median returns the middle of values, which it sorts; 0 if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
