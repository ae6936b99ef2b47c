package exec

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

const (
	// decodeBins is into how many points over the past the decode passes after a
	// prompt go, at most; each has decodeBin passes or more.
	decodeBins, decodeBin = 4, 8
	// leastOwn is the part of a stage's time that is its units' at least: no unit
	// takes no time at all.
	leastOwn = 0.01
)

// findings are what the runs of a measurement have shown.
type findings struct {
	subject *subject
	prompts []int
	tokens  int
	stages  []edgeshard.Stage
	cells   map[cell]*sample
	turns   struct{ enter, token []float64 } // ns
	hops    map[models.Pass]*hopSample       // past 0
	beyond  []float64                        // memory
	loads   []float64                        // bytes a second
}

// A cell is a stage and a shape of passes: a prefill, or a stretch of decode.
type cell struct{ batch, prompt, bin, stage int } // bin −1: prefill

// A sample is a cell's times, in ns at full speed, by round.
type sample struct{ rounds [][]float64 }

func newFindings(s *subject, m *Measurement) *findings {
	return &findings{subject: s, prompts: m.Prompts, tokens: m.Tokens, cells: make(map[cell]*sample), hops: make(map[models.Pass]*hopSample)}
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
func (f *findings) add(o *probe, round int) {
	f.stages = o.plan.Stages
	batch := o.plan.Workload.MicroBatch
	for i := range o.passes {
		p := &o.passes[i]
		if p.first {
			continue
		}
		for stage, d := range p.compute {
			f.cell(cell{batch, f.prompts[p.batch], f.bin(p.step), stage}).add(round, float64(d)/f.subject.slowdown)
		}
		f.turns.enter = append(f.turns.enter, float64(p.enter))
		f.turns.token = append(f.turns.token, float64(p.token))
		f.hop(o, p, batch, round)
	}
	f.beyond = append(f.beyond, o.beyond()...)
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

func (f *findings) cell(c cell) *sample {
	s := f.cells[c]
	if s == nil {
		s = &sample{}
		f.cells[c] = s
	}
	return s
}

func (s *sample) add(round int, ns float64) {
	for len(s.rounds) <= round {
		s.rounds = append(s.rounds, nil)
	}
	s.rounds[round] = append(s.rounds[round], ns)
}

// byRound returns each round's typical time.
func (s *sample) byRound() []float64 {
	var means []float64
	for _, r := range s.rounds {
		if len(r) > 0 {
			means = append(means, typical(r))
		}
	}
	return means
}

// value is the typical time over all rounds.
func (s *sample) value() float64 { return typical(slices.Concat(s.rounds...)) }

// profile sums the findings up.
func (f *findings) profile() *edgeshard.Profile {
	p := &edgeshard.Profile{Overhead: topologies.Bytes(median(f.beyond)), Load: topologies.ByteRate(median(f.loads))}
	p.Stage = f.stage()
	p.Enter = time.Duration(max(0, typical(f.turns.enter)))
	p.Token = time.Duration(max(0, typical(f.turns.token)))
	p.Hop, p.HopByte, p.Spread.Hop = f.messages()
	p.Points = f.points(float64(p.Stage))
	p.Spread.Each, p.Spread.Run, p.Spread.Runs = f.spread()
	p.Spread.Memory = topologies.Bytes(deviation(f.beyond))
	return p
}

// stage returns what a decode pass takes a stage whatever its blocks: what stays
// of a stage of one block when a block's part of one of several is taken off. It
// is 0 where the model has too few blocks to tell.
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
		at := func(stage int) float64 { c.stage = stage; return f.cells[c].value() }
		one := at(1)
		fixed = append(fixed, one-(at(2)-one)/(many-1))
	}
	return time.Duration(max(0, median(fixed)))
}

// points returns a point for each cell, but for the single block where there are others.
func (f *findings) points(fixed float64) []edgeshard.Point {
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
		st, s := f.stages[c.stage], f.cells[c]
		each := func(ns float64) float64 {
			return round3(max(ns-fixed, leastOwn*ns) / float64(st.To-st.From) / 1e6)
		}
		p := edgeshard.Point{Batch: c.batch, Tokens: 1, Past: f.past(c.prompt, c.bin), MS: each(s.value())}
		p.From, p.To = f.units(st)
		if c.bin < 0 {
			p.Tokens, p.Past = c.prompt, 0
		}
		for _, ns := range s.byRound() {
			p.Raw = append(p.Raw, each(ns))
		}
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

// spread returns the relative deviation of a single decode pass from its cell and
// round, and that of runs, which are the passes of one batch in one round, from
// what all rounds say of their cells; and how many such runs there were.
func (f *findings) spread() (each, run float64, runs int) {
	type block struct{ batch, round int }
	var single []float64
	blocks := make(map[block][]float64)
	for c, s := range f.cells {
		if c.bin < 0 || c.stage == 0 {
			continue // too few, or too short
		}
		all := s.value()
		for i, r := range s.rounds {
			if len(r) == 0 {
				continue
			}
			mean := typical(r)
			blocks[block{c.batch, i}] = append(blocks[block{c.batch, i}], mean/all-1)
			for _, ns := range r {
				single = append(single, ns/mean-1)
			}
		}
	}
	var means []float64
	for _, r := range blocks {
		means = append(means, median(r))
	}
	return deviation(single), deviation(means), len(means)
}

// typical returns the mean of values, which it sorts, but for the slowest
// fiftieth, one at least: what a run's own mean will be, without the rare stall.
// Of fewer than eight it is the median, since a stall would count too much.
func typical(values []float64) float64 {
	if len(values) < 8 {
		return median(values)
	}
	slices.Sort(values)
	values = values[:len(values)-max(1, len(values)/50)]
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// deviation returns the standard deviation of values, which it sorts, from their
// middle two thirds where there are enough: stalls are no part of it.
func deviation(values []float64) float64 {
	n := len(values)
	if n < 2 {
		return 0
	}
	if n >= 12 {
		slices.Sort(values)
		return (values[n*5/6] - values[n/6]) / 1.935 // that part of a normal distribution
	}
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(n)
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(n-1))
}

// median returns the middle of values, which it sorts; 0 if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
