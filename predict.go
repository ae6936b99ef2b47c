package edgeshard

import (
	"math"
	"time"

	"github.com/edgeshard/edgeshard/models"
)

// A Loop is one pass of a micro-batch through a plan's stages and back to the
// source, on idle devices and links.
type Loop struct {
	Time time.Duration // S: all stages, links and the return; a Turn comes on top
	Busy time.Duration // M: the busiest device's, or link's, time per pass
}

// Loop returns the loop of a pass through stages. A device's busy time sums over
// its stages, a link's over the messages it carries; latency occupies nothing.
func (s Spec) Loop(c Costs, stages []Stage, p models.Pass, r Return) Loop {
	var l Loop
	devices := make(map[int]time.Duration)
	links := make(map[[2]int]time.Duration)
	send := func(from, to int, bytes int64) {
		t := c.Transfer(from, to, bytes)
		l.Time += t.Idle()
		links[[2]int{from, to}] += t.Occupancy
		l.Busy = max(l.Busy, links[[2]int{from, to}])
	}
	at := s.Topology.Source
	for _, st := range stages {
		if st.From > 0 {
			send(at, st.Device, s.Model.ActivationBytes(p))
		}
		at = st.Device
		t := StageTime(c, st, p)
		l.Time += t
		devices[at] += t
		l.Busy = max(l.Busy, devices[at])
	}
	send(at, s.Topology.Source, s.ReturnBytes(p.Batch, r))
	return l
}

// StageTime returns the compute time of a stage in a pass.
func StageTime(c Costs, s Stage, p models.Pass) time.Duration {
	t := c.Stage(s.Device)
	for u := s.From; u < s.To; u++ {
		t += c.Compute(s.Device, u, p)
	}
	return t
}

// ReturnBytes returns the size of what goes back to the source.
func (s Spec) ReturnBytes(batch int, r Return) int64 {
	if r == ReturnLogits {
		return s.Model.LogitsBytes(batch)
	}
	return int64(batch) * models.TokenBytes
}

// Predict fills in the plan's prediction, on idle devices and links, as means
// over the workload's requests. With one micro-batch in all it is exact. With K
// of them in a batch, they get their first tokens M apart, the first after S of
// the prefill, and each further token after max(S, K·M) without bubbles and
// S+(K−1)·M with them; in sequence each has the pipeline to itself until its
// end. Batches follow one another; of requests that arrive over time the
// prediction is that of a batch that finds the pipeline free.
func (p *Plan) Predict(c Costs) {
	w, spec := &p.Workload, p.Spec()
	sequences := min(w.Batch, w.Requests)
	micro := min(w.MicroBatch, sequences)
	k := time.Duration((sequences + micro - 1) / micro)
	first := spec.Loop(c, p.Stages, models.Pass{Batch: micro, Tokens: w.PromptTokens}, w.Return)
	first.Time += c.Turn().First()
	var decode time.Duration // from a micro-batch's first token to its last
	for t := 1; t < w.Tokens; t++ {
		l := spec.Loop(c, p.Stages, models.Pass{Batch: micro, Tokens: 1, Past: w.PromptTokens + t - 1}, w.Return)
		l.Time += c.Turn().Next(w)
		decode += period(w.Schedule, l, k)
	}
	apart := first.Busy // micro-batches' first tokens
	if w.Schedule == Sequential {
		apart = first.Time + decode
	}
	total := first.Time + (k-1)*apart + decode // of a batch
	rounds := float64(w.Requests) / float64(sequences)
	ttft := Milliseconds(first.Time) + float64(k-1)/2*Milliseconds(apart)
	if w.Rate == 0 {
		ttft += (math.Ceil(rounds) - 1) / 2 * Milliseconds(total)
	}
	warnings := p.Warnings()
	if len(p.Topology.Segments) > 0 {
		warnings = append(warnings, "links share segments, and count here as if each were alone: a simulation shares them")
	}
	p.Predicted = Prediction{
		TTFTMS: ttft, TPOTMS: Milliseconds(decode) / float64(max(1, w.Tokens-1)),
		Throughput: float64(sequences*w.Tokens) / total.Seconds(), MakespanS: total.Seconds() * rounds,
		Memory: p.memoryByDevice(spec), Warnings: warnings,
	}
}

// period is the time between a micro-batch's tokens with k micro-batches; in
// sequence a micro-batch has the pipeline to itself.
func period(s Schedule, l Loop, k time.Duration) time.Duration {
	switch s {
	case Bubbles:
		return l.Time + (k-1)*l.Busy
	case NoBubbles:
		return max(l.Time, k*l.Busy)
	}
	return l.Time
}

func (p *Plan) memoryByDevice(s Spec) map[string]int64 {
	byName := make(map[string]int64)
	for d, n := range p.Footprint().Peaks(p.Stages, len(p.Topology.Devices), s.Overhead) {
		if n > 0 {
			byName[p.Topology.Devices[d].Name] = n
		}
	}
	return byName
}

// Budget returns the usable memory of a device.
func (s Spec) Budget(device int) int64 {
	d := &s.Topology.Devices[device]
	if d.Usable > 0 {
		return int64(d.Usable)
	}
	return int64(d.Memory)
}
