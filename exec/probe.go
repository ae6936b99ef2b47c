package exec

import (
	"time"

	"github.com/edgeshard/edgeshard"
)

// A probe takes down what a run of passes, one at a time, shows.
type probe struct {
	plan   *edgeshard.Plan
	passes []probedPass
	told   time.Duration   // when the coordinator had the last pass's tokens
	memory map[int]int64   // by device
	loads  map[int]loading // by device
}

// A probedPass is one pass through all stages.
type probedPass struct {
	first   bool // of the run
	batch   int  // index of its prompt
	step    int
	compute []time.Duration // by stage
	between time.Duration   // all messages together, and handing over before and after them
	enter   time.Duration   // from the coordinator's decision to the first stage, or
	onward  time.Duration   // from the tokens of the pass before at the source; 0 for the first
	token   time.Duration   // from the source to the coordinator
	back    time.Duration   // when its tokens were at the source
}

type loading struct {
	bytes int64
	took  time.Duration
}

func (o *probe) Text(int, int, string) {}

// Span takes in the spans of one pass after another: what the workers did, then
// the tokens.
func (o *probe) Span(s edgeshard.Span) {
	switch s.What {
	case edgeshard.Compute:
		if s.Stage == 0 {
			o.begin(s)
		}
		p := &o.passes[len(o.passes)-1]
		p.compute = append(p.compute, s.End-s.Start)
	case edgeshard.Send, edgeshard.Back:
		p := &o.passes[len(o.passes)-1]
		p.between += s.End - s.Start // the offsets of clocks cancel on the way around
		p.back = s.End
	case edgeshard.Token:
		if s.End != o.told { // the first of the batch
			o.end(s.End)
		}
	case edgeshard.Memory:
		if o.memory == nil {
			o.memory = make(map[int]int64)
		}
		o.memory[s.Device] = s.Bytes
	case edgeshard.Load:
		if o.loads == nil {
			o.loads = make(map[int]loading)
		}
		o.loads[s.Device] = loading{s.Bytes, s.End - s.Start}
	}
}

func (o *probe) begin(s edgeshard.Span) {
	p := probedPass{first: len(o.passes) == 0, batch: s.Request / o.plan.Workload.MicroBatch, step: s.Step}
	switch {
	case p.first:
	case p.step > 0: // the source has gone on by itself
		p.onward = s.Start - o.passes[len(o.passes)-1].back
	default:
		p.enter = s.Start - o.told
	}
	o.passes = append(o.passes, p)
}

// end takes the tokens of a pass in. What none of its spans accounts for, from the
// tokens before, or from when the coordinator had them, is waking up and handing
// over.
func (o *probe) end(at time.Duration) {
	p := &o.passes[len(o.passes)-1]
	p.token = at - p.back
	if !p.first {
		since := o.told
		if p.step > 0 {
			since = o.passes[len(o.passes)-2].back
		}
		rest := p.back - since - p.enter - p.onward - p.between
		for _, d := range p.compute {
			rest -= d
		}
		p.between += max(0, rest)
	}
	o.told = at
}

// messages is how many a pass of the plan sends: one into each stage but the
// first, and the return.
func (o *probe) messages() int { return len(o.plan.Stages) }

// A holding is what a worker held: of the weights of blocks, and beyond what the
// plan accounts for.
type holding struct{ blocks, beyond float64 }

// holdings returns what each worker held.
func (o *probe) holdings() []holding {
	var all []holding
	foot := o.plan.Footprint()
	accounted := foot.Peaks(o.plan.Stages, len(o.plan.Topology.Devices), func(int) int64 { return 0 })
	blocks := make([]int64, len(accounted))
	for _, s := range o.plan.Stages {
		for u := s.From; u < s.To; u++ {
			accounted[s.Device] -= foot.Weights(u) // what was loaded counts
			if u > 0 && u < o.plan.Model.Config.Units()-1 {
				blocks[s.Device] += foot.Weights(u)
			}
		}
	}
	for d := range accounted {
		if held, ok := o.memory[d]; ok {
			all = append(all, holding{float64(blocks[d]), float64(max(0, held-accounted[d]-o.loads[d].bytes))})
		}
	}
	return all
}
