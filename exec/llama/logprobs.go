package llama

import (
	"math"
	"slices"
)

// An Alternative is a token and the natural logarithm of its probability.
type Alternative struct {
	ID      int
	LogProb float64
}

// LogProbs returns the log-probability of token id by softmax(logits), and the n
// most likely tokens with theirs, in falling order, the lower id first among
// equals. A NaN counts as impossible, and what is impossible has the lowest
// finite value, which every format can carry.
func LogProbs(logits []float32, id, n int) (float64, []Alternative) {
	top := float64(logits[argmax(logits)])
	var total float64
	for _, v := range logits {
		if e := math.Exp(float64(v) - top); e == e {
			total += e
		}
	}
	base := top + math.Log(total)
	at := func(i int) float64 {
		if l := float64(logits[i]) - base; l > -math.MaxFloat64 {
			return l
		}
		return -math.MaxFloat64
	}
	rank := func(i int) float32 {
		if v := logits[i]; v == v {
			return v
		}
		return float32(math.Inf(-1))
	}
	most := make([]Alternative, 0, n+1)
	for i := range logits {
		j := len(most)
		if j == n && (n == 0 || rank(i) <= rank(most[n-1].ID)) {
			continue
		}
		for ; j > 0 && rank(most[j-1].ID) < rank(i); j-- {
		}
		most = slices.Insert(most, j, Alternative{i, at(i)})
		most = most[:min(len(most), n)]
	}
	return at(id), most
}
