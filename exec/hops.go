package exec

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// A hopSample is what the messages of passes of one size took, each.
type hopSample struct {
	bytes float64 // mean of its messages
	sample
}

func (f *findings) hop(o *probe, p *probedPass, batch, round int) {
	pass := models.Pass{Batch: batch, Tokens: 1}
	if p.step == 0 {
		pass.Tokens = f.prompts[p.batch]
	}
	h := f.hops[pass]
	if h == nil {
		n := float64(o.messages())
		spec := o.plan.Spec()
		h = &hopSample{bytes: ((n-1)*float64(f.subject.ref.Config.ActivationBytes(pass)) + float64(spec.ReturnBytes(batch, edgeshard.ReturnToken))) / n}
		f.hops[pass] = h
	}
	n := time.Duration(o.messages())
	h.add(round, float64(p.between-n*measureGap)/float64(n))
}

// messages returns what a message costs beyond its link, and for each byte of it:
// from the smallest passes and the largest. The spread is that of rounds.
func (f *findings) messages() (hop time.Duration, perByte float64, spread time.Duration) {
	sizes := make([]*hopSample, 0, len(f.hops))
	var rounds []float64
	for p, h := range f.hops {
		sizes = append(sizes, h)
		if p.Tokens == 1 {
			all := h.value()
			for _, ns := range h.byRound() {
				rounds = append(rounds, ns-all)
			}
		}
	}
	slices.SortFunc(sizes, func(a, b *hopSample) int { return cmp.Compare(a.bytes, b.bytes) })
	small, large := sizes[0], sizes[len(sizes)-1]
	least := small.value()
	if large.bytes > 4*small.bytes {
		perByte = max(0, (large.value()-least)/(large.bytes-small.bytes))
	}
	return time.Duration(max(0, least-perByte*small.bytes)), perByte, time.Duration(deviation(rounds))
}

// noise is the standard deviation of a single small message's cost.
func (f *findings) noise() time.Duration {
	var small []float64
	for p, h := range f.hops {
		if p.Tokens == 1 {
			all := h.value()
			for _, ns := range slices.Concat(h.rounds...) {
				small = append(small, ns-all)
			}
		}
	}
	return time.Duration(deviation(small) * math.Sqrt(float64(len(f.stages)))) // ns are means of so many
}
