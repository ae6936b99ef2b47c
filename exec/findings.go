package exec

import (
	"cmp"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/sample"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// decodeBins is into how many points over the past the decode passes after a
// prompt go, at most; each has decodeBin passes or more.
const decodeBins, decodeBin = 4, 8

// findings are what one round of a measurement has shown.
type findings struct {
	subject *subject
	prompts []int
	first   int // batch, which all of the model on one worker is measured with
	tokens  int
	gap     time.Duration
	stages  []edgeshard.Stage
	cells   map[cell][]float64                       // ns at full speed
	turns   struct{ enter, onward, token []float64 } // ns
	hops    map[models.Pass]*hopSample               // past 0
	alone   map[cell][]float64                       // of the whole on one worker, as stage 0
	held    []holding
	// ownProcess says that workers have processes, and so memory, of their own.
	ownProcess bool
	loads      []float64 // bytes a second
}

// A cell is a stage and a shape of passes: a prefill, or a stretch of decode.
type cell struct{ batch, prompt, bin, stage int } // bin −1: prefill

func newFindings(s *subject, m *Measurement) *findings {
	return &findings{
		subject: s, prompts: m.Prompts, first: m.Batches[0], tokens: m.Tokens, gap: m.Gap,
		cells: make(map[cell][]float64), alone: make(map[cell][]float64), hops: make(map[models.Pass]*hopSample),
	}
}

func (f *findings) bins() int { return max(1, min(decodeBins, (f.tokens-1)/decodeBin)) }

// bin returns the stretch of decode that a step belongs to; −1 for the prefill.
func (f *findings) bin(step int) int {
	if step == 0 {
		return -1
	}
	return (step - 1) * f.bins() / (f.tokens - 1)
}

// past returns the mean past of a stretch of decode after a prompt.
func (f *findings) past(prompt, bin int) int {
	if bin < 0 {
		return 0
	}
	n := f.bins()
	lo, hi := bin*(f.tokens-1)/n, (bin+1)*(f.tokens-1)/n // steps lo+1 … hi
	return prompt + (lo+hi)/2
}

// add takes in a run. Its very first pass is left out: it finds connections and
// caches cold.
func (f *findings) add(o *probe) {
	f.stages = o.plan.Stages
	batch := o.plan.Workload.MicroBatch
	for i := range o.passes {
		p := &o.passes[i]
		if p.first {
			continue
		}
		for stage, d := range p.compute {
			c := cell{batch, f.prompts[p.batch], f.bin(p.step), stage}
			f.cells[c] = append(f.cells[c], float64(d)/f.subject.slowdown)
		}
		if p.step > 0 {
			f.turns.onward = append(f.turns.onward, float64(p.onward))
		} else {
			f.turns.enter = append(f.turns.enter, float64(p.enter))
		}
		f.turns.token = append(f.turns.token, float64(p.token))
		f.hop(o, p, batch)
	}
	f.hold(o)
	var most loading
	for _, l := range o.loads {
		if l.bytes > most.bytes {
			most = l
		}
	}
	if most.took > 0 {
		f.loads = append(f.loads, float64(most.bytes)/most.took.Seconds())
	}
}

// hold takes in what workers held with the first batch: larger ones leave more
// behind in buffers for messages.
func (f *findings) hold(o *probe) {
	if o.plan.Workload.MicroBatch == f.first {
		f.held = append(f.held, o.holdings()...)
	}
}

// addAlone takes in a run on one worker.
func (f *findings) addAlone(o *probe) {
	f.hold(o)
	for i := range o.passes {
		if p := &o.passes[i]; !p.first {
			c := cell{o.plan.Workload.MicroBatch, f.prompts[p.batch], f.bin(p.step), 0}
			f.alone[c] = append(f.alone[c], float64(p.compute[0])/f.subject.slowdown)
		}
	}
}

// together is how many times as long a pass takes on one worker as on several, what
// it takes each of their stages besides its units not counted.
func (f *findings) together(stage float64) float64 {
	var ratios []float64
	for c, own := range f.alone {
		if c.bin < 0 {
			continue // too few
		}
		sum := 0.0
		for i := range f.stages {
			c.stage = i
			sum += sample.Mean(f.cells[c])
		}
		if sum -= stage * float64(len(f.stages)-1); sum > 0 {
			ratios = append(ratios, sample.Mean(own)/sum)
		}
	}
	return min(sample.Median(ratios), 100)
}

// profile sums the findings up as the one round of a profile.
func (f *findings) profile() *edgeshard.Profile {
	r := edgeshard.Round{Visit: 1, Date: time.Now().UTC().Format(time.RFC3339), Blocks: 1}
	if n := len(f.stages); n > 2 {
		r.Blocks = f.stages[2].To - f.stages[2].From
	}
	r.Hop, r.HopByte = f.messages()
	mean := func(ns []float64) time.Duration { return time.Duration(sample.Mean(ns)) }
	r.Enter, r.Onward, r.Token = mean(f.turns.enter), mean(f.turns.onward), mean(f.turns.token)
	r.Stage, r.Each = f.stage(), f.each()
	r.Alone = f.together(max(0, float64(r.Stage)))
	r.Load = topologies.ByteRate(sample.Median(f.loads))
	if f.ownProcess {
		r.Overhead, r.Packing, r.Memory = f.memory()
	}
	p := &edgeshard.Profile{Units: f.subject.whole.Units(), Points: f.points(), Rounds: []edgeshard.Round{r}}
	p.Sum()
	return p
}

// leastWeights is what the weights of workers' blocks must differ by for packing to
// be told from what else differs between them.
const leastWeights = 32 << 20

// memory returns what a worker with blocks holds beyond its weights, KV caches and
// workspace, for itself and for each byte of its blocks' weights, and the deviation
// of all workers from that: the line nearest to them in squares.
func (f *findings) memory() (overhead topologies.Bytes, packing float64, deviation topologies.Bytes) {
	var blocks, beyond []float64
	for _, h := range f.held {
		if h.blocks > 0 {
			blocks, beyond = append(blocks, h.blocks), append(beyond, h.beyond)
		}
	}
	if len(blocks) == 0 {
		return 0, 0, 0
	}
	fixed := sample.Median(beyond)
	if slices.Max(blocks)-slices.Min(blocks) >= leastWeights {
		if fixed, packing = stat.LinearRegression(blocks, beyond, nil, false); packing < 0 {
			fixed, packing = sample.Median(beyond), 0
		}
	}
	var own []float64
	for _, h := range f.held {
		own = append(own, h.beyond-packing*h.blocks)
	}
	return topologies.Bytes(max(0, fixed)), packing, topologies.Bytes(sample.Deviation(own))
}

// stage returns what a decode pass takes a stage whatever its blocks: what stays
// of a stage of one block when a block's part of one of several is taken off; of
// one round that may be less than nothing. It is 0 where the model has too few
// blocks to tell.
func (f *findings) stage() time.Duration {
	if len(f.stages) < 4 || f.stages[2].To-f.stages[2].From < 2 {
		return 0
	}
	many := float64(f.stages[2].To - f.stages[2].From)
	var fixed []float64
	for c := range f.cells {
		if c.bin < 0 || c.stage != 1 {
			continue
		}
		at := func(stage int) float64 { c.stage = stage; return sample.Mean(f.cells[c]) }
		one := at(1)
		fixed = append(fixed, one-(at(2)-one)/(many-1))
	}
	return time.Duration(sample.Median(fixed))
}

// points returns a point for each cell, but for the single block where there are others.
func (f *findings) points() []edgeshard.Point {
	var cells []cell
	for c := range f.cells {
		if c.stage != 1 || len(f.stages) < 4 {
			cells = append(cells, c)
		}
	}
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.batch, b.batch), cmp.Compare(min(a.bin, 0), min(b.bin, 0)), cmp.Compare(a.prompt, b.prompt), cmp.Compare(a.bin, b.bin))
	})
	var points []edgeshard.Point
	for _, c := range cells {
		st := f.stages[c.stage]
		p := edgeshard.Point{Batch: c.batch, Tokens: 1, Past: f.past(c.prompt, c.bin)}
		p.From, p.To = f.units(st)
		if c.bin < 0 {
			p.Tokens, p.Past = c.prompt, 0
		}
		p.Raw = []float64{round3(sample.Mean(f.cells[c]) / float64(st.To-st.From) / 1e6)}
		points = append(points, p)
	}
	return points
}

// units returns the units of the whole model that a stage's stand for.
func (f *findings) units(s edgeshard.Stage) (from, to int) {
	switch whole := f.subject.whole; {
	case s.From == 0:
		return 0, 1
	case s.To == f.subject.ref.Config.Units():
		return whole.Layers + 1, whole.Units()
	default:
		return 1, whole.Layers + 1
	}
}

// round3 keeps nanoseconds of a time in ms.
func round3(ms float64) float64 { return math.Round(ms*1e6) / 1e6 }

// each returns the relative deviation of a single decode pass from its cell.
func (f *findings) each() float64 {
	var single []float64
	for c, values := range f.cells {
		if c.bin < 0 || c.stage == 0 {
			continue // too few, or too short
		}
		mean := sample.Mean(values)
		for _, ns := range values {
			single = append(single, ns/mean-1)
		}
	}
	return sample.Deviation(single)
}
