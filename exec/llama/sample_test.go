package llama_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/edgeshard/edgeshard/exec/llama"
	"pgregory.net/rapid"
)

func TestSampleGreedy(t *testing.T) {
	nan := float32(math.NaN())
	for _, tc := range []struct {
		logits []float32
		want   int
	}{
		{[]float32{1, 3, 2}, 1},
		{[]float32{3, 1, 3}, 0},
		{[]float32{nan, -5, -4, nan}, 2},
		{[]float32{nan, nan}, 0},
		{[]float32{float32(math.Inf(-1)), -1}, 1},
	} {
		if got := llama.Sample(tc.logits, 0, 1, 7); got != tc.want {
			t.Errorf("Sample(%v) = %d, want %d", tc.logits, got, tc.want)
		}
	}
}

// The frequencies of many draws are those of softmax(logits/temperature), cut to
// the nucleus.
func TestSampleFrequencies(t *testing.T) {
	logits := []float32{2, 1, 0, -1, 1}
	for _, tc := range []struct {
		temperature, topP float64
		nucleus           []int
	}{
		{1, 1, []int{0, 1, 2, 3, 4}},
		{0.5, 0, []int{0, 1, 2, 3, 4}},
		{1, 0.6, []int{0, 1}}, // .5354, then .1970 each for 1 and 4: the lower id
		{1, 0.9, []int{0, 1, 4}},
		{2, 0.1, []int{0}},
	} {
		var total float64
		for _, id := range tc.nucleus {
			total += math.Exp(float64(logits[id]) / tc.temperature)
		}
		const draws = 20000
		counts := make([]float64, len(logits))
		for step := range draws {
			counts[llama.Sample(logits, tc.temperature, tc.topP, llama.Rand(llama.RequestSeed(1, 2), step))]++
		}
		for _, id := range tc.nucleus {
			want := math.Exp(float64(logits[id])/tc.temperature) / total
			if got := counts[id] / draws; math.Abs(got-want) > 0.015 {
				t.Errorf("T=%g p=%g: token %d in %.3f of draws, want %.3f", tc.temperature, tc.topP, id, got, want)
			}
			counts[id] = 0
		}
		for id, n := range counts {
			if n > 0 {
				t.Errorf("T=%g p=%g: token %d is outside the nucleus", tc.temperature, tc.topP, id)
			}
		}
	}
}

func TestSampleAlwaysAToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := rapid.SliceOfN(rapid.Float32(), 1, 40).Draw(t, "logits")
		temperature := rapid.Float64Range(0, 3).Draw(t, "temperature")
		topP := rapid.Float64Range(-0.5, 1.5).Draw(t, "topP")
		r := rapid.Uint64().Draw(t, "r")
		id := llama.Sample(logits, temperature, topP, r)
		if id < 0 || id >= len(logits) {
			t.Fatalf("token %d of %d", id, len(logits))
		}
		if again := llama.Sample(logits, temperature, topP, r); again != id {
			t.Fatalf("token %d, then %d", id, again)
		}
	})
}

func TestRandDiffers(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(10) {
		for request := range 10 {
			for step := range 10 {
				seen[llama.Rand(llama.RequestSeed(seed, request), step)] = true
			}
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d different values of 1000", len(seen))
	}
}

// TestLogProbs holds log-probabilities to a sorted softmax of the naive kind.
func TestLogProbs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := rapid.SliceOfN(rapid.Float32Range(-30, 30), 1, 40).Draw(t, "logits")
		id := rapid.IntRange(0, len(logits)-1).Draw(t, "id")
		n := rapid.IntRange(0, 20).Draw(t, "n")
		own, top := llama.LogProbs(logits, id, n)
		var total float64
		for _, v := range logits {
			total += math.Exp(float64(v))
		}
		if want := math.Log(math.Exp(float64(logits[id])) / total); math.Abs(own-want) > 1e-9 {
			t.Fatalf("token %d has %g, want %g", id, own, want)
		}
		ids := make([]int, len(logits))
		for i := range ids {
			ids[i] = i
		}
		slices.SortStableFunc(ids, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
		if len(top) != min(n, len(logits)) {
			t.Fatalf("%d alternatives, want %d", len(top), min(n, len(logits)))
		}
		for i, a := range top {
			want := math.Log(math.Exp(float64(logits[ids[i]])) / total)
			if math.Abs(a.LogProb-want) > 1e-9 || logits[a.ID] != logits[ids[i]] {
				t.Fatalf("alternative %d is %+v, want token %d with %g", i, a, ids[i], want)
			}
		}
	})
}

func TestLogProbsOfNothing(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, logits := range [][]float32{{nan, nan}, {nan, 1}, {-inf, 0}, {inf, 0}} {
		own, top := llama.LogProbs(logits, 0, 2)
		for _, v := range []float64{own, top[0].LogProb, top[1].LogProb} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v > 1e-9 {
				t.Errorf("LogProbs(%v) = %g, %+v: want numbers up to 0", logits, own, top)
			}
		}
	}
}
