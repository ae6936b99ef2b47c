package edgeshard

import (
	"time"

	"github.com/edgeshard/edgeshard/models"
)

// A Loop is one pass of a micro-batch through a plan's stages and back to the
// source, on idle devices and links.
type Loop struct {
	Time time.Duration // S: all stages, links and the return
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
	var t time.Duration
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

// Predict fills in the plan's prediction: for the first batch of its workload,
// all of it there at the start. With one micro-batch it is the exact time on
// idle devices and links; with K of them, prefill takes S+(K−1)·M and each
// further token max(S, K·M) without bubbles, S+(K−1)·M with them, K·S in
// sequence.
func (p *Plan) Predict(c Costs) {
	w, spec := &p.Workload, p.Spec()
	sequences := min(w.Batch, w.Requests)
	micro := min(w.MicroBatch, sequences)
	k := time.Duration((sequences + micro - 1) / micro)
	first := spec.Loop(c, p.Stages, models.Pass{Batch: micro, Tokens: w.PromptTokens}, w.Return)
	ttft := first.Time
	if w.Schedule != Sequential {
		ttft += (k - 1) * first.Busy
	}
	total := ttft
	for t := 1; t < w.Tokens; t++ {
		l := spec.Loop(c, p.Stages, models.Pass{Batch: micro, Tokens: 1, Past: w.PromptTokens + t - 1}, w.Return)
		total += period(w.Schedule, l, k)
	}
	tpot := time.Duration(0)
	if w.Tokens > 1 {
		tpot = (total - ttft) / time.Duration(w.Tokens-1)
	}
	if w.Schedule == Sequential {
		total *= k
	}
	rounds := float64(w.Requests) / float64(sequences)
	p.Predicted = Prediction{
		TTFTMS: Milliseconds(ttft), TPOTMS: Milliseconds(tpot),
		Throughput: float64(sequences*w.Tokens) / total.Seconds(), MakespanS: total.Seconds() * rounds,
		Memory: p.memoryByDevice(spec),
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
