package fidelity

import (
	"cmp"
	"math"
	"slices"

	"github.com/edgeshard/edgeshard"
)

// A gap is what a part of the way contributes to the error of a configuration, per
// token: the mean over its runs.
type gap struct {
	Part  edgeshard.Part `json:"part"`
	Where string         `json:"where"`
	MS    float64        `json:"predicted_minus_measured_ms"`
}

// gapsOf returns where a prediction's error comes from.
func gapsOf(predicted *edgeshard.Report, runs []run) []gap {
	var all []gap
	for i := range runs {
		r := &runs[i]
		measured := &edgeshard.Report{Requests: predicted.Requests, Tokens: predicted.Tokens, Queue: r.Queue, Path: r.Path}
		measured.TTFT.Mean = r.Measured["ttft_ms.mean"]
		for _, g := range edgeshard.Gaps(predicted, measured) {
			at := slices.IndexFunc(all, func(o gap) bool { return o.Part == g.Part && o.Where == g.Where })
			if at < 0 {
				all, at = append(all, gap{Part: g.Part, Where: g.Where}), len(all)
			}
			all[at].MS += g.Gap / float64(len(runs))
		}
	}
	slices.SortStableFunc(all, func(a, b gap) int { return cmp.Compare(math.Abs(b.MS), math.Abs(a.MS)) })
	return all
}
