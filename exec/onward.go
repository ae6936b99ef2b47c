package exec

import (
	"sync"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// onward lets the source begin a micro-batch's next decode pass by itself, as soon
// as its tokens are there and as far as the coordinator has allowed: the way to
// the coordinator and back lies between no two tokens then. The rule is one that
// both know, so neither has to ask: it goes on unless a sequence has ended.
type onward struct {
	mu      sync.Mutex
	batches map[uint32]*ongoing
}

// An ongoing micro-batch is its pass on the way, as it was before it left.
type ongoing struct {
	step, ahead uint32
	sequences   []*wire.Sequence // without tokens
}

// allow takes note of what may follow a pass that the coordinator lets in.
func (o *onward) allow(p *wire.Pass) {
	if p.GetAhead() == 0 {
		return
	}
	g := &ongoing{step: p.GetStep(), ahead: p.GetAhead()}
	for _, q := range p.GetSequences() {
		g.sequences = append(g.sequences, &wire.Sequence{
			Request: q.GetRequest(), Past: q.GetPast(), New: q.GetNew(), Sampling: q.GetSampling(), Until: q.GetUntil(),
		})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.batches == nil {
		o.batches = make(map[uint32]*ongoing)
	}
	o.batches[p.GetMicroBatch()] = g
}

// halt withdraws what was allowed.
func (o *onward) halt() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.batches)
}

// next returns the pass that follows one that is back with its tokens; nil if
// that is for the coordinator to say.
func (o *onward) next(back *wire.Pass) *wire.Pass {
	o.mu.Lock()
	defer o.mu.Unlock()
	g := o.batches[back.GetMicroBatch()]
	if g == nil || g.ahead == 0 || !g.goesOn(back.GetSequences()) {
		delete(o.batches, back.GetMicroBatch())
		return nil
	}
	g.step++
	g.ahead--
	p := &wire.Pass{MicroBatch: back.GetMicroBatch(), Step: g.step}
	for i, q := range g.sequences {
		q.Past += q.GetNew()
		q.New = 1
		p.Sequences = append(p.Sequences, &wire.Sequence{
			Request: q.GetRequest(), Past: q.GetPast(), New: 1, Sampling: q.GetSampling(), Tokens: back.GetSequences()[i].GetTokens(),
		})
	}
	return p
}

// goesOn tells whether none of the sequences that are back has ended.
func (g *ongoing) goesOn(back []*wire.Sequence) bool {
	if len(back) != len(g.sequences) {
		return false
	}
	for i, q := range back {
		if len(q.GetTokens()) != 1 || q.GetRequest() != g.sequences[i].GetRequest() || q.GetTokens()[0]+1 == g.sequences[i].GetUntil() {
			return false
		}
	}
	return true
}
