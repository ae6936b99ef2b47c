package edgeshard

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A Gap is what a part of the way contributes to the difference of two reports.
type Gap struct {
	Part  Part   `json:"part"`
	Where string `json:"where"`
	// A and B are the part's time per token, in ms, over a request's first pass and
	// the later ones, and Gap is A − B.
	A   float64 `json:"a_ms"`
	B   float64 `json:"b_ms"`
	Gap float64 `json:"gap_ms"`
	// Share is the gap's part of all gaps, taken without their signs.
	Share float64 `json:"share"`
}

// Queueing is the wait of requests for their first pass.
const Queueing Part = "queueing"

// StartUp is the rest of the time to the first token: what no other part of the
// first pass accounts for.
const StartUp Part = "start-up"

// Gaps ranks where the difference of two reports comes from, the largest part first.
func Gaps(a, b *Report) []Gap {
	n := tokensEach(b)
	type key struct {
		part  Part
		where string
	}
	parts := func(r *Report) (map[key]float64, []key) {
		m, first := make(map[key]float64), r.Queue.Mean
		var keys []key
		add := func(k key, ms float64) {
			if _, ok := m[k]; !ok {
				keys = append(keys, k)
			}
			m[k] += ms
		}
		for _, p := range r.Path {
			add(key{p.Part, p.where()}, (p.PrefillMS+p.DecodeMS*(n-1))/n)
			first += p.PrefillMS
		}
		add(key{Queueing, "before the first pass"}, r.Queue.Mean/n)
		add(key{StartUp, "rest of the first token"}, (r.TTFT.Mean-first)/n)
		return m, keys
	}
	inA, keys := parts(a)
	inB, more := parts(b)
	var gaps []Gap
	total := 0.0
	for _, k := range union(keys, more, func(k key) key { return k }) {
		g := Gap{Part: k.part, Where: k.where, A: inA[k], B: inB[k], Gap: inA[k] - inB[k]}
		total += math.Abs(g.Gap)
		gaps = append(gaps, g)
	}
	for i := range gaps {
		if total > 0 {
			gaps[i].Share = math.Abs(gaps[i].Gap) / total
		}
	}
	slices.SortStableFunc(gaps, func(x, y Gap) int { return cmp.Compare(math.Abs(y.Gap), math.Abs(x.Gap)) })
	return gaps
}

// tokensEach returns the tokens of a request, on average.
func tokensEach(r *Report) float64 {
	return max(1, float64(r.Tokens)/float64(max(r.Requests, 1)))
}

// where names a part's place.
func (p *PathReport) where() string {
	switch {
	case p.To != "":
		return p.From + " → " + p.To
	case p.Part == Turning:
		return p.From
	}
	return fmt.Sprintf("stage %d on %s", p.Stage, p.From)
}
