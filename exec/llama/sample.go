package llama

import (
	"cmp"
	"math"
	"slices"
)

// RequestSeed derives the seed of one of several requests from a common one.
func RequestSeed(seed uint64, request int) uint64 { return mix(mix(seed) + uint64(request)) }

// Rand derives the random bits that draw the token at a position from a
// request's seed, so that its tokens depend neither on what runs beside it nor
// on where a KV cache was built anew. (SplitMix64's mixing function over the two.)
func Rand(seed uint64, position int) uint64 { return mix(mix(seed) + uint64(position)) }

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Sample picks a token by its logits. Temperature 0 takes the largest, the
// lowest id among equals. Otherwise the logits are divided by the temperature,
// and r chooses among the most probable tokens that together reach topP (all of
// them, if topP is not between 0 and 1). A NaN is never chosen before a number.
func Sample(logits []float32, temperature, topP float64, r uint64) int {
	best := argmax(logits)
	if !(temperature > 0) {
		return best
	}
	candidates := weigh(logits, logits[best], temperature)
	if topP > 0 && topP < 1 {
		candidates = nucleus(candidates, topP)
	}
	var total float64
	for _, c := range candidates {
		total += c.weight
	}
	at := float64(r>>11) / (1 << 53) * total
	for _, c := range candidates {
		if at -= c.weight; at < 0 {
			return c.id
		}
	}
	return best
}

func argmax(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] || logits[best] != logits[best] && v == v {
			best = i
		}
	}
	return best
}

type candidate struct {
	id     int
	weight float64
}

// weigh returns exp((logit-top)/temperature) of every token.
func weigh(logits []float32, top float32, temperature float64) []candidate {
	all := make([]candidate, 0, len(logits))
	for i, v := range logits {
		if w := math.Exp(float64(v-top) / temperature); w > 0 {
			all = append(all, candidate{i, w})
		}
	}
	return all
}

// nucleus keeps the smallest set of the most probable candidates that reaches
// topP of the weight, in falling order.
func nucleus(all []candidate, topP float64) []candidate {
	var total float64
	for _, c := range all {
		total += c.weight
	}
	// The tokens below this weight together weigh less than 1-topP, so the rest
	// reach topP without them.
	floor := (1 - topP) / float64(len(all)) * total
	kept := slices.DeleteFunc(all, func(c candidate) bool { return c.weight < floor })
	slices.SortFunc(kept, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.id, b.id))
	})
	var sum float64
	for i, c := range kept {
		if sum += c.weight; sum >= topP*total {
			return kept[:i+1]
		}
	}
	return kept
}
