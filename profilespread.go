package edgeshard

import (
	"math"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard/internal/sample"
)

// SpreadAt returns the profile's spread for a run at a time: the longer after the
// visits of the profile that is, the further it may lie from what they showed. If
// the time is not known, the zero one, it is as long after them as they took in
// all. Alone says that one device has the whole model. A profile without rounds has
// the same spread at all times.
func (p *Profile) SpreadAt(when time.Time, alone bool) Spread {
	s := p.Spread
	if len(p.Rounds) == 0 {
		return s
	}
	times := p.roundTimes()
	at := math.Inf(1)
	if first := p.Rounds[0].at(); !when.IsZero() && !first.IsZero() {
		at = when.Sub(first).Seconds()
	}
	runs, hops := p.byVisit(times, p.runs(alone)), p.byVisit(times, func(round int) []float64 { return []float64{float64(p.Rounds[round].Hop)} })
	s.Run, s.Runs = sample.OfNext(runs, at)
	hop, hopRuns := sample.OfNext(hops, at)
	if hopRuns > 1 && s.Runs > 1 { // said by as many runs as the other
		hop *= widening(hopRuns) / widening(s.Runs)
	}
	s.Hop, s.Together = time.Duration(hop), sample.Together(runs, hops)
	return s
}

// widening is about what Student's distribution of n values is wider by than the
// normal one, at its 95th percentile: that is 1.645 · (1 + 1.6/(n−1)) to within 4 %
// from 3 values on.
func widening(n int) float64 { return (1 + 1.6/float64(max(n-1, 1))) * math.Sqrt(1+1/float64(n)) }

// runs returns by how much the runs of a round, the passes of one batch each, were
// slower than all are on average; if alone is asked for, that of the whole model on
// one worker.
func (p *Profile) runs(alone bool) func(round int) []float64 {
	batches := make(map[int][][]float64) // by round, of each decode point
	var order []int
	for i := range p.Points {
		q := &p.Points[i]
		if q.From == 0 || q.Tokens > 1 {
			continue // too few, or too short
		}
		if batches[q.Batch] == nil {
			batches[q.Batch], order = make([][]float64, len(p.Rounds)), append(order, q.Batch)
		}
		mean := sample.Mean(q.Raw)
		for r, ms := range q.Raw {
			if mean > 0 {
				batches[q.Batch][r] = append(batches[q.Batch][r], ms/mean-1)
			}
		}
	}
	if alone = alone && p.Alone > 0 && len(order) > 0; alone {
		order = order[:1]
	}
	return func(round int) (values []float64) {
		for _, b := range order {
			slower := sample.Median(batches[b][round])
			if alone {
				slower = (1+slower)*p.Rounds[round].Alone/p.Alone - 1
			}
			values = append(values, slower)
		}
		return values
	}
}

// byVisit groups values of each round; the time of a visit is that of its first.
func (p *Profile) byVisit(times []float64, of func(round int) []float64) []sample.Visit {
	var visits []sample.Visit
	for r := range p.Rounds {
		if r == 0 || p.Rounds[r].Visit != p.Rounds[r-1].Visit {
			visits = append(visits, sample.Visit{At: times[r]})
		}
		v := &visits[len(visits)-1]
		v.Values = append(v.Values, of(r)...)
	}
	return visits
}

// roundTimes returns when rounds were, in seconds since the first. Where one does
// not tell, visits follow one another evenly.
func (p *Profile) roundTimes() []float64 {
	times := make([]float64, len(p.Rounds))
	for i := range p.Rounds {
		times[i] = p.Rounds[i].at().Sub(p.Rounds[0].at()).Seconds()
	}
	if slices.ContainsFunc(p.Rounds, func(r Round) bool { return r.at().IsZero() }) || !slices.IsSorted(times) {
		for i := range times {
			times[i] = float64(p.Rounds[i].Visit)
		}
	}
	return times
}

// at is when a round was; the zero time: it does not tell.
func (r *Round) at() time.Time {
	at, _ := time.Parse(time.RFC3339, r.Date)
	return at
}
