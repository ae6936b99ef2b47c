package fidelity

import (
	"fmt"
	"math"
)

// Ranking counts pairs of plans of one job, in one metric each.
type Ranking struct {
	Pairs    int     `json:"pairs"` // that differ by more than the noise
	Right    int     `json:"right"` // predicted in the same order
	Accuracy float64 `json:"accuracy"`
	// Alike are the pairs that measurement does not tell apart.
	Alike int      `json:"alike"`
	Wrong []string `json:"wrong"` // in words
}

// rank counts the pairs of plans of one job that measurement tells apart, in each
// metric of time, and those of them that the prediction orders alike. Told apart
// are plans whose means differ by more than a run of one differs from a run of the
// other by noise. Of five repeats a deviation is not known well: what counts is
// that of all plans of the job together.
func (r *Result) rank(jobs map[string]string) {
	r.Ranking = Ranking{Wrong: []string{}}
	for _, m := range metrics {
		noise := make(map[string]float64) // by job
		plans := make(map[string]float64)
		for i := range r.Each {
			o := &r.Each[i]
			job := jobs[o.Name]
			noise[job] += o.Noise[m.field] * o.Noise[m.field]
			plans[job]++
		}
		for i := range r.Each {
			for k := range i {
				if a, b := &r.Each[i], &r.Each[k]; jobs[a.Name] == jobs[b.Name] {
					job := jobs[a.Name]
					r.Ranking.compare(a, b, m.name, m.field, math.Sqrt(noise[job]/plans[job]))
				}
			}
		}
	}
	r.Ranking.Accuracy = relative(float64(r.Ranking.Right), float64(r.Ranking.Pairs))
}

// compare takes a pair in, of which each run varies by noise.
func (r *Ranking) compare(a, b *Outcome, metric, field string, noise float64) {
	measured, predicted := a.Measured[field]-b.Measured[field], a.Predicted[field]-b.Predicted[field]
	if math.Abs(measured) <= noise*math.Hypot(a.Measured[field], b.Measured[field]) {
		r.Alike++
		return
	}
	r.Pairs++
	if measured*predicted > 0 {
		r.Right++
		return
	}
	r.Wrong = append(r.Wrong, fmt.Sprintf("%s: %s is %+.1f %% off %s, predicted %+.1f %%", metric, a.Name,
		100*relative(measured, b.Measured[field]), b.Name, 100*relative(predicted, b.Predicted[field])))
}
