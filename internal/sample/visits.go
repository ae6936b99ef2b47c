package sample

import "math"

// mostAlike bounds how alike successive visits count as being.
const mostAlike = 0.8

// OfNext returns how far a further value lies from the mean of those that several
// visits have brought, in the order of the visits: a standard deviation, and the
// number n of independent values that would tell it as well. With T of Student's
// distribution of n−1 degrees of freedom the further value is off by
// deviation · √(1+1/n) · T.
//
// What differs between visits stays for as long as one of them lasts, so it is the
// number of visits that counts, not that of values. Where successive visits are
// alike, by what von Neumann's ratio of their differences to their variance says,
// they count as fewer: they have not seen all that is to come.
func OfNext(visits [][]float64) (deviation float64, n int) {
	var means []float64
	within, free, all := 0.0, 0.0, 0.0
	for _, v := range visits {
		if len(v) == 0 {
			continue
		}
		means = append(means, average(v))
		within += variance(v) * float64(len(v)-1)
		free += float64(len(v) - 1)
		all += float64(len(v))
	}
	if free > 0 {
		within /= free
	}
	if len(means) < 2 {
		return math.Sqrt(within), int(all)
	}
	count := float64(len(means))
	alike := alikeness(means)
	fewer := (1 + alike) / (1 - alike) // so many make one independent visit
	between := variance(means) / max(1-(fewer-1)/(count-1), 1.0/3)
	rest := within * (1 - count/all) // the means have the other part of it
	total := between + rest
	if total == 0 {
		return 0, int(all)
	}
	// Welch and Satterthwaite's degrees of freedom of a sum of variances.
	known := max(1, count*(1-alike*alike)/(1+alike*alike)-1)
	degrees := between * between / known
	if free > 0 {
		degrees += rest * rest / free
	}
	degrees = total * total / degrees
	n = int(degrees) + 1
	off := between*(1+fewer/count) + rest*(1+1/all)
	return math.Sqrt(off / (1 + 1/float64(n))), n
}

// alikeness estimates the correlation of successive values; below 0 it counts as 0.
func alikeness(values []float64) float64 {
	v := variance(values)
	if len(values) < 4 || v == 0 {
		return 0
	}
	differences := 0.0
	for i, x := range values[1:] {
		differences += (x - values[i]) * (x - values[i])
	}
	return min(max(0, 1-differences/float64(len(values)-1)/(2*v)), mostAlike)
}
