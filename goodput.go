package edgeshard

import "time"

// A ClassReport is what the requests of one class came to.
type ClassReport struct {
	Name       string       `json:"name"`
	Requests   int          `json:"requests"` // that got tokens and were not given up
	TTFT       Distribution `json:"ttft_ms"`
	TPOT       Distribution `json:"tpot_ms"`
	Attainment float64      `json:"slo_attainment"`         // part of the requests asked for that kept the objectives
	Goodput    float64      `json:"goodput_requests_per_s"` // such requests / makespan
}

// keeps reports whether a request kept the objectives: one given up, or that got
// no token, did not.
func (q *requestTally) keeps(s SLO) bool {
	if q.tokens == 0 || q.failed || q.dropped {
		return false
	}
	return (s.TTFTMS == 0 || Milliseconds(q.first-q.arrival) <= s.TTFTMS) && (s.TPOTMS == 0 || q.tpot() <= s.TPOTMS)
}

// tpot returns the mean time of the tokens after the first, in ms.
func (q *requestTally) tpot() float64 {
	if q.tokens < 2 {
		return 0
	}
	return Milliseconds(q.last-q.first) / float64(q.tokens-1)
}

// goodput fills in what is told of objectives, if the workload has any.
func (r *Recorder) goodput(rep *Report) {
	w := &r.plan.Workload
	if w.SLO == (SLO{}) && len(w.Classes) == 0 {
		return
	}
	requests, kept := w.Arrivals(), 0
	asked, keptOf := make([]int, len(w.Classes)), make([]int, len(w.Classes))
	first, per := make([][]float64, len(w.Classes)), make([][]float64, len(w.Classes))
	for i := range requests {
		c, keeps := requests[i].Class, false
		if i < len(r.requests) {
			keeps = r.requests[i].keeps(w.slo(c))
		}
		if keeps {
			kept++
		}
		if c >= len(w.Classes) {
			continue
		}
		asked[c]++
		if keeps {
			keptOf[c]++
		}
		if i < len(r.requests) {
			r.requests[i].collect(&first[c], &per[c])
		}
	}
	rep.Attainment, rep.Goodput = ratio(kept, len(requests)), rate(kept, r.makespan)
	for c := range w.Classes {
		rep.Classes = append(rep.Classes, ClassReport{
			Name: w.Classes[c].Name, Requests: len(first[c]), TTFT: distribution(first[c]), TPOT: distribution(per[c]),
			Attainment: ratio(keptOf[c], asked[c]), Goodput: rate(keptOf[c], r.makespan),
		})
	}
}

// collect adds a request's times, in ms, where it has them.
func (q *requestTally) collect(first, per *[]float64) {
	if q.tokens == 0 || q.failed || q.dropped {
		return
	}
	*first = append(*first, Milliseconds(q.first-q.arrival))
	if q.tokens > 1 {
		*per = append(*per, q.tpot())
	}
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
