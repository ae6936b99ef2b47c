package sample

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Visit is what one visit to a machine has brought, and when it was.
type Visit struct {
	At     float64 // in any unit, later ones later
	Values []float64
}

// OfNext returns how far a further value, at a time after the visits, lies from the
// mean of theirs: a standard deviation, and the number n of independent values that
// would tell it as well. With T of Student's distribution of n−1 degrees of freedom
// the further value is off by deviation · √(1+1/n) · T; that holds at the ends of
// what it is within with a probability of 90 %.
//
// What differs between visits stays for as long as one of them lasts, so it is the
// number of visits that counts, not that of values. See drifting for what the time
// after them adds.
func OfNext(visits []Visit, at float64) (deviation float64, n int) {
	var means, times []float64
	within, free, all := 0.0, 0.0, 0.0
	for _, v := range visits {
		if len(v.Values) == 0 {
			continue
		}
		means, times = append(means, average(v.Values)), append(times, v.At)
		within += variance(v.Values) * float64(len(v.Values)-1)
		free += float64(len(v.Values) - 1)
		all += float64(len(v.Values))
	}
	if free > 0 {
		within /= free
	}
	if len(means) < 2 {
		return math.Sqrt(within), int(all)
	}
	between := drifting(means, times, at)
	rest := within * (1 - float64(len(means))/all) * (1 + 1/all) // the means have the other part of it
	known, degrees := float64(len(means)-1), 0.0
	for i := range between {
		// Welch and Satterthwaite's degrees of freedom of a sum of variances.
		o := &between[i]
		o.degrees = known
		if sum := o.variance + rest; free > 0 && sum > 0 {
			o.degrees = sum * sum / (o.variance*o.variance/known + rest*rest/free)
		}
		o.variance += rest
		degrees += o.weight * o.degrees
	}
	n = int(math.Round(degrees)) + 1
	t := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(ends)
	return bound(between) / t / math.Sqrt(1+1/float64(n)), n
}

// ends is the percentile that the upper end of what a value is within has.
const ends = 0.95

// An offness is what a further value may be off by: normally distributed, of a
// variance that is known by so many degrees of freedom. Of several, each counts by
// its weight, 1 in all.
type offness struct{ weight, variance, degrees float64 }

// bound returns what the sum of them is within, with a probability of 90 %.
func bound(all []offness) float64 {
	most := 0.0
	for _, o := range all {
		most = max(most, math.Sqrt(o.variance)*distuv.StudentsT{Sigma: 1, Nu: o.degrees}.Quantile(ends))
	}
	low, high := 0.0, most
	for range 30 {
		x, below := (low+high)/2, 0.0
		for _, o := range all {
			if o.variance > 0 {
				below += o.weight * distuv.StudentsT{Sigma: math.Sqrt(o.variance), Nu: o.degrees}.CDF(x)
			} else {
				below += o.weight
			}
		}
		if below < ends {
			low = x
		} else {
			high = x
		}
	}
	return high
}

// shares are how many shares of drift are weighed against one another.
const shares = 20

// drifting returns what a further value at a time may be off by from the mean of
// values.
//
// The values are taken for the sum of what comes and goes from one to the next and
// of a random walk, whose differences grow with the time between them: their
// variogram is a constant and a straight line. Before the values are seen the part
// of their variance that the walk has is anything from 0 to 1 alike; how likely
// their differences are with each part says how much it counts. That way few values
// that show no drift do not say that there is none. The walk goes on for as long
// again as the values span: beyond, nothing of it has been seen.
func drifting(values, times []float64, at float64) []offness {
	n := len(values)
	ahead := min(at, 2*times[n-1]-times[0])
	back, apart := 0.0, 0.0 // mean time to the further value, and between any two
	for _, t := range times {
		back += math.Abs(ahead-t) / float64(n)
		for _, u := range times {
			apart += math.Abs(t-u) / float64(n*n)
		}
	}
	walked := apart / 2 * float64(n) / float64(n-1) // by a walk of rate 1: the variance of the values
	if walked == 0 {
		walked, back = 1, 0 // all at one time: nothing is known of drift
	}
	all, most := make([]offness, shares), math.Inf(-1)
	for i := range all {
		share := (float64(i) + 0.5) / shares
		square, likely := likelihood(values, times, share, walked)
		all[i].variance = square / float64(n-1) * ((1-share)*(1+1/float64(n)) + share*(back-apart/2)/walked)
		all[i].weight = likely
		most = max(most, likely)
	}
	sum := 0.0
	for i := range all {
		all[i].weight = math.Exp(min(all[i].weight-most, 0)) // of values that are all the same, all alike
		sum += all[i].weight
	}
	for i := range all {
		all[i].weight /= sum
	}
	return all
}

// likelihood returns how likely the differences of successive values are, as a
// logarithm, where share of their variance is a walk's, whatever that variance is;
// and the sum of their squares, n−1 times the variance.
func likelihood(values, times []float64, share, walked float64) (square, likely float64) {
	// The covariance of differences is tridiagonal: it is taken apart as LDLᵀ.
	beside := -(1 - share)
	pivot, rest, logs := 0.0, 0.0, 0.0
	for i := range len(values) - 1 {
		diagonal, d := 2*(1-share)+share*(times[i+1]-times[i])/walked, values[i+1]-values[i]
		if i > 0 {
			diagonal, d = diagonal-beside*beside/pivot, d-beside/pivot*rest
		}
		pivot, rest = diagonal, d
		square += d * d / pivot
		logs += math.Log(pivot)
	}
	return square, -logs/2 - float64(len(values)-1)/2*math.Log(max(square, math.SmallestNonzeroFloat64))
}

// Together returns the correlation of the means of two things at the same visits; 0
// of fewer than three.
func Together(a, b []Visit) float64 {
	if len(a) < 3 {
		return 0
	}
	var x, y []float64
	for i := range a {
		x, y = append(x, average(a[i].Values)), append(y, average(b[i].Values))
	}
	if variance(x) == 0 || variance(y) == 0 {
		return 0
	}
	return min(max(-1, stat.Correlation(x, y, nil)), 1)
}
