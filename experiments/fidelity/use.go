package fidelity

import (
	"cmp"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
)

// use takes down what devices computed, and when.
type use struct {
	plan  *edgeshard.Plan
	spans []edgeshard.Span
}

func newUse(p *edgeshard.Plan) *use { return &use{plan: p} }

func (u *use) Text(int, int, string) {}

func (u *use) Span(s edgeshard.Span) {
	if s.What == edgeshard.Compute {
		u.spans = append(u.spans, s)
	}
}

// A stageTime is the mean time of a stage's passes, in ms.
type stageTime struct {
	Prefill float64 `json:"prefill_ms"`
	Decode  float64 `json:"decode_ms"`
}

// stages returns the mean times of each stage.
func (u *use) stages() []stageTime {
	times, counts := make([]stageTime, len(u.plan.Stages)), make([][2]float64, len(u.plan.Stages))
	for _, s := range u.spans {
		ms := edgeshard.Milliseconds(s.End - s.Start)
		if s.Step > 0 {
			times[s.Stage].Decode += ms
			counts[s.Stage][1]++
		} else {
			times[s.Stage].Prefill += ms
			counts[s.Stage][0]++
		}
	}
	for i := range times {
		times[i].Prefill /= max(counts[i][0], 1)
		times[i].Decode /= max(counts[i][1], 1)
	}
	return times
}

// most returns how many devices were in a computation at once, and the most that
// the sum of their shares of a core came to: of a device slowed f times, 1/f.
func (u *use) most() (devices int, cores float64) {
	type edge struct {
		at    time.Duration
		n     int
		share float64
	}
	var edges []edge
	for _, s := range u.spans {
		share := 1 / max(1, u.plan.Topology.Devices[s.Device].Slowdown)
		edges = append(edges, edge{s.Start, 1, share}, edge{s.End, -1, -share})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) })
	n, sum := 0, 0.0
	for _, e := range edges {
		n, sum = n+e.n, sum+e.share
		devices, cores = max(devices, n), max(cores, sum)
	}
	return devices, cores
}
