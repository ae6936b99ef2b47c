package tui

import (
	"math"
	"slices"
)

// ladder are the steps of a slider within a power of ten; people read them easily.
var ladder = []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8}

// rung returns the value by steps up (or down) a ladder that goes on for all
// powers of ten; from between two steps the first leads to the nearer end.
func rung(v float64, by int) float64 {
	if v <= 0 {
		return v
	}
	exp := math.Floor(math.Log10(v) + 1e-9)
	m := v / math.Pow(10, exp)
	i := slices.IndexFunc(ladder, func(x float64) bool { return x >= m-1e-9 })
	if i < 0 {
		i = len(ladder)
	}
	if between := i == len(ladder) || ladder[i] > m+1e-9; between && by > 0 {
		by--
	}
	i += by
	for ; i < 0; i += len(ladder) {
		exp--
	}
	exp += float64(i / len(ladder))
	v = ladder[i%len(ladder)] * math.Pow(10, exp)
	return math.Round(v*1e9) / 1e9
}

// wholeRung is rung for counts: powers of two and the halves between them.
func wholeRung(n, by int) int {
	for ; by > 0; by-- {
		n = nextWhole(n)
	}
	for ; by < 0 && n > 1; by++ {
		below := 1
		for nextWhole(below) < n {
			below = nextWhole(below)
		}
		n = below
	}
	return max(n, 1)
}

func nextWhole(n int) int {
	for p := 1; ; p *= 2 {
		for _, c := range []int{p, p + p/2} {
			if c > n {
				return c
			}
		}
	}
}

// memoryRung moves an amount of memory by a sixteenth to an eighth of it.
func memoryRung(n int64, by int) int64 {
	for ; by > 0; by-- {
		s := memoryStep(n)
		n = (n/s + 1) * s
	}
	for ; by < 0; by++ {
		s := memoryStep(n - 1)
		n = max((n-1)/s*s, 1<<20)
	}
	return n
}

func memoryStep(n int64) int64 {
	step := int64(1)
	for step <= n/16 {
		step *= 2
	}
	return step
}

// cycle returns the choice by steps after the present one.
func cycle[T comparable](all []T, now T, by int) T {
	if len(all) == 0 {
		return now
	}
	i := max(slices.Index(all, now), 0)
	return all[((i+by)%len(all)+len(all))%len(all)]
}
