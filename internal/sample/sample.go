// Package sample sums up measurements of one thing.
package sample

import (
	"math"
	"slices"
)

// mostOf is how many times the median a value counts as at most.
const mostOf = 2

// Mean returns the mean of values of at least 0, 0 if there are none. What is more
// than twice the median counts as that: a mean is to be what a run's own will be,
// and not to rest on one stall.
func Mean(values []float64) float64 {
	most, sum := mostOf*Median(values), 0.0
	for _, v := range values {
		sum += min(v, most)
	}
	return sum / math.Max(1, float64(len(values)))
}

// Median returns the middle of values, 0 if there are none.
func Median[T ~int64 | ~float64](values []T) T {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Deviation returns the standard deviation of values, from their middle two
// thirds where there are enough: stalls are no part of it.
func Deviation(values []float64) float64 {
	n := len(values)
	if n < 12 {
		return math.Sqrt(variance(values))
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[n*5/6] - sorted[n/6]) / 1.935 // that part of a normal distribution
}

// Moments returns the mean of values and their standard deviation, as they are; 0 if
// there are too few for it.
func Moments(values []float64) (mean, deviation float64) {
	return average(values), math.Sqrt(variance(values))
}

func variance(values []float64) float64 {
	mean, sum := average(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum / math.Max(1, float64(len(values)-1))
}

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / math.Max(1, float64(len(values)))
}
