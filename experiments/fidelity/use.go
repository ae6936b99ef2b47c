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

// stages returns the mean time of each stage's decode passes, in ms.
func (u *use) stages() []float64 {
	sums, counts := make([]float64, len(u.plan.Stages)), make([]int, len(u.plan.Stages))
	for _, s := range u.spans {
		if s.Step > 0 {
			sums[s.Stage] += edgeshard.Milliseconds(s.End - s.Start)
			counts[s.Stage]++
		}
	}
	for i := range sums {
		sums[i] /= float64(max(counts[i], 1))
	}
	return sums
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
