package fidelity

import (
	"cmp"
	"math"
	"slices"

	"github.com/edgeshard/edgeshard/internal/sample"
)

// around is how many runs of other jobs, before and after a run, tell how fast the
// machine was.
const around = 20

// drift says what the errors would be if the machine had stayed as it was when it
// was profiled, by and large: each run is divided by the median of measured to
// predicted of the runs around it, in time, of other jobs. What all predictions are
// off by together is taken out with it.
func (r *Result) drift(jobs map[string]string) {
	type one struct {
		outcome int
		at, job string
		ratio   float64
	}
	for _, m := range metrics {
		var all []one
		for i := range r.Each {
			o := &r.Each[i]
			for _, run := range o.Runs {
				all = append(all, one{i, run.At, jobs[o.Name], relative(run.Measured[m.field], o.Predicted[m.field])})
			}
		}
		slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(a.at, b.at) })
		own := make([][]float64, len(r.Each))
		for i, x := range all {
			var others []float64
			for reach := 1; reach < len(all) && len(others) < around; reach++ {
				for _, k := range []int{i - reach, i + reach} {
					if k >= 0 && k < len(all) && all[k].job != x.job {
						others = append(others, all[k].ratio)
					}
				}
			}
			if factor := sample.Median(others); factor > 0 {
				own[x.outcome] = append(own[x.outcome], x.ratio/factor)
			}
		}
		for _, ratios := range own {
			mean, _ := sample.Moments(ratios)
			r.BesideDrift[m.name] += math.Abs(relative(1-mean, mean)) / float64(len(own))
		}
	}
}
