package exec

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/sample"
	"github.com/edgeshard/edgeshard/models"
)

// A hopSample is what the messages of passes of one size took, each.
type hopSample struct {
	bytes float64   // mean of its messages
	ns    []float64 // a pass's mean
}

func (f *findings) hop(o *probe, p *probedPass, batch int) {
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
	h.ns = append(h.ns, float64(p.between-n*f.gap)/float64(n))
}

// messages returns what a message costs beyond its link, and for each byte of it:
// from the smallest passes and the largest.
func (f *findings) messages() (hop time.Duration, perByte float64) {
	sizes := make([]*hopSample, 0, len(f.hops))
	for _, h := range f.hops {
		sizes = append(sizes, h)
	}
	slices.SortFunc(sizes, func(a, b *hopSample) int { return cmp.Compare(a.bytes, b.bytes) })
	small, large := sizes[0], sizes[len(sizes)-1]
	least := sample.Mean(small.ns)
	if large.bytes > 4*small.bytes {
		perByte = (sample.Mean(large.ns) - least) / (large.bytes - small.bytes)
	}
	return time.Duration(least - perByte*small.bytes), perByte
}

// noise is the standard deviation of a single small message's cost.
func (f *findings) noise() time.Duration {
	var small []float64
	for p, h := range f.hops {
		if p.Tokens == 1 {
			all := sample.Mean(h.ns)
			for _, ns := range h.ns {
				small = append(small, ns-all)
			}
		}
	}
	return time.Duration(sample.Deviation(small) * math.Sqrt(float64(len(f.stages)))) // ns are means of so many
}
