package tui

import (
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// A Part is what a token spends at a place of the plan: computing a stage, or on
// the link into it (To the stage's device), or on the way back to the source.
type Part struct {
	Stage    int // −1: the way back
	Device   int
	To       int           // −1: computing
	Time     time.Duration // idle
	Occupied time.Duration // of the device or the link
}

// partsOf returns the parts of a decode pass half-way through the answer.
func partsOf(p *edgeshard.Plan, c edgeshard.Costs) []Part {
	w := &p.Workload
	micro := min(w.MicroBatch, w.Batch, w.Requests)
	pass := models.Pass{Batch: micro, Tokens: 1, Past: w.PromptTokens + w.Tokens/2}
	var parts []Part
	at := p.Topology.Source
	hop := func(stage, to int, bytes int64) {
		if at != to {
			t := c.Transfer(at, to, bytes)
			parts = append(parts, Part{Stage: stage, Device: at, To: to, Time: t.Idle(), Occupied: t.Occupancy})
		}
		at = to
	}
	for i, s := range p.Stages {
		hop(i, s.Device, p.Model.Config.ActivationBytes(pass))
		t := edgeshard.StageTime(c, s, pass)
		parts = append(parts, Part{Stage: i, Device: s.Device, To: -1, Time: t, Occupied: t})
	}
	hop(-1, p.Topology.Source, p.Spec().ReturnBytes(micro, w.Return))
	return parts
}

// A Bottleneck is the device or link that a token spends most time at, or with
// micro-batches in flight the one that is occupied longest.
type Bottleneck struct {
	Device, To int // To −1: the device itself
	Time       time.Duration
	Share      float64 // of the token's time
}

// bottleneck returns the place to improve first.
func bottleneck(parts []Part, objective edgeshard.Objective) Bottleneck {
	sums := make(map[[2]int]time.Duration)
	var total time.Duration
	best := Bottleneck{Device: -1, To: -1}
	for _, p := range parts {
		t := p.Time
		if objective == edgeshard.Throughput {
			t = p.Occupied
		}
		key := [2]int{p.Device, p.To}
		sums[key] += t
		total += p.Time
		if sums[key] > best.Time {
			best.Device, best.To, best.Time = p.Device, p.To, sums[key]
		}
	}
	if total > 0 {
		best.Share = float64(best.Time) / float64(total)
	}
	return best
}
