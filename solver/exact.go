package solver

import (
	"context"
	"fmt"

	"github.com/edgeshard/edgeshard"
)

// exact proves the best plan, or says how far from it the one it has may be.
func exact(ctx context.Context, p *Problem, o Options) (*Result, error) {
	timed, cancel := ctx, context.CancelFunc(func() {})
	if o.Deadline > 0 {
		timed, cancel = context.WithTimeout(ctx, o.Deadline)
	}
	defer cancel()
	e := &prover{p: p, original: p, result: &Result{}}
	e.start(ctx, o.Hint)
	if p.hopeless() {
		return nil, diagnose(ctx, p)
	}
	if p.Objective == edgeshard.Throughput {
		e.throughput(timed)
	} else {
		e.latency(timed)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.best >= never {
		if timed.Err() != nil {
			return nil, fmt.Errorf("no plan found within %v: %w", o.Deadline, timed.Err())
		}
		return nil, diagnose(ctx, p)
	}
	return e.conclude(), nil
}

// A prover keeps the best plan and what is proved of a problem.
type prover struct {
	p        *Problem // original, with twins told apart where need be
	original *Problem
	result   *Result
	effort   int       // labels after which a search gives up; 0: never
	last     []*search // of the last minimise, by variant, to begin the next one with
	lastTau  int64
	prices   multipliers // of the last fit, likewise
	long     int64       // rounds from it on are not worth a fit
	best     int64       // objective of the best plan, never while there is none
}

// start takes the plans that are at hand as first ones: the hint's, the paper's,
// and all units on the source.
func (e *prover) start(ctx context.Context, hint *Result) {
	e.best = never
	if stages, err := solo(ctx, e.p); err == nil {
		e.take(stages)
	}
	if e.p.Objective != edgeshard.Throughput || e.p.paperTable() <= quickTable {
		if stages, err := paper(ctx, e.p); err == nil {
			e.take(stages)
		}
	}
	if hint != nil {
		e.take(e.p.renamed(hint.Stages))
	}
}

// take keeps a plan if it is allowed and better than the best: a lower objective,
// or the same with a shorter loop.
func (e *prover) take(stages []edgeshard.Stage) {
	if stages == nil || e.p.Check(stages) != nil {
		return
	}
	v := e.p.Value(stages)
	if x := e.p.Of(v); x < e.best || x == e.best && v.Loop < e.result.Value.Loop {
		e.best, e.result.Stages, e.result.Value = x, stages, v
	}
}

// renamed finds the stages' devices by name, or returns nil where one is missing.
func (p *Problem) renamed(stages []edgeshard.Stage) []edgeshard.Stage {
	byName := make(map[string]int, len(p.Devices))
	for d := range p.Devices {
		byName[p.Devices[d].Name] = d
	}
	out := make([]edgeshard.Stage, len(stages))
	for i, s := range stages {
		d, ok := byName[s.Name]
		if !ok {
			return nil
		}
		s.Device = d
		out[i] = s
	}
	return out
}

// latency minimises the time of a request.
func (e *prover) latency(ctx context.Context) {
	tau := e.p.MaxLoop
	if tau < never {
		tau /= int64(e.p.MicroBatches)
	}
	if e.p.Revisits && !e.p.tailPinned() {
		e.oneVisit(ctx)
	}
	e.result.Bound, e.result.proofs = e.minimise(ctx, tau, min(e.best, e.p.MaxRequest+1), false)
}

// oneVisit looks for a first plan among those without revisits, where the search
// is easier, and gives up after some labels.
func (e *prover) oneVisit(ctx context.Context) {
	q := e.p.bounded()
	q.Revisits = false
	s := newSearch(newGraph(q, variant{tau: never}), min(e.best, q.MaxRequest+1), &e.result.Stats)
	s.effort = 1 << 20
	s.run(ctx)
	if s.best != nil {
		e.take(s.g.stages(s.best))
	}
}

// minimise looks for plans whose stages and links are busy for at most tau and
// whose cost is below cutoff, and returns a bound on the cost of all such plans,
// at most the cutoff, and what it rests on. With any set it stops at the first
// plan. Twins are told apart only once that proves necessary: where what they
// could hold together does not fit them one by one.
func (e *prover) minimise(ctx context.Context, tau, cutoff int64, any bool) (int64, []Proof) {
	bound, proofs := cutoff, []Proof(nil)
	variants := e.variants(tau)
	var searches []*search
	defer func() { e.last, e.lastTau = searches, tau }()
	for i := 0; i < len(variants); i++ {
		s := newSearch(newGraph(e.p, variants[i]), cutoff, &e.result.Stats)
		s.any, s.effort = any, e.effort
		if i < len(e.last) {
			s.resume(e.last[i], tau <= e.lastTau)
		}
		s.run(ctx)
		if len(s.clash) > 0 && !s.done() && ctx.Err() == nil {
			e.tellApart(s.clash)
			e.last = nil
			bound, proofs, searches, i = cutoff, nil, nil, -1
			continue
		}
		bound, proofs = min(bound, s.bound), append(proofs, s.certify(variants[i]))
		searches = append(searches, s)
		if s.best != nil {
			cutoff = s.cutoff
			e.take(s.g.stages(s.best))
			if any && i+1 < len(variants) {
				return 0, nil // nothing is known of the other graphs
			}
		}
	}
	return bound, proofs
}

// tellApart gives each device of some classes a class of its own.
func (e *prover) tellApart(classes []int) {
	for _, k := range classes {
		e.result.apart = append(e.result.apart, e.p.Classes[k].Members...)
	}
	e.p = e.original.Apart(e.result.apart)
}

// variants returns the graphs that together hold all plans. Where the source must
// hold the last unit but may not be revisited otherwise, each start of its last
// stage has one of its own.
func (e *prover) variants(tau int64) []variant {
	if e.p.Revisits || !e.p.tailPinned() {
		return []variant{{tau: tau}}
	}
	var all []variant
	for b := 1; b < e.p.Units; b++ {
		if e.p.sourceMay(b) {
			all = append(all, variant{tau: tau, tail: b})
		}
	}
	return all
}

// sourceMay tells whether no unit from b on must be elsewhere than at the source.
func (p *Problem) sourceMay(b int) bool {
	for u := b; u < p.Units; u++ {
		if pin := p.Pin(u); pin >= 0 && pin != p.Source {
			return false
		}
	}
	return true
}

// conclude states what is known at the end.
func (e *prover) conclude() *Result {
	r := e.result
	r.Stages = e.original.settled(r.Stages)
	r.Value = e.original.Value(r.Stages)
	r.Proved = r.Bound >= e.best
	r.Bound = min(r.Bound, e.best)
	if !r.Proved {
		r.Note = "stopped before the proof was complete"
	}
	return r
}

// settled moves each cut to the latest unit that leaves the plan as good, so that
// of plans that are equal but for where twins are cut always the same is stated.
func (p *Problem) settled(stages []edgeshard.Stage) []edgeshard.Stage {
	best := p.Value(stages)
	for i := 0; i+1 < len(stages); i++ {
		for to := stages[i+1].To - 1; to > stages[i].To; to-- {
			moved := append([]edgeshard.Stage(nil), stages...)
			moved[i].To, moved[i+1].From = to, to
			v := p.Value(moved)
			if p.Of(v) == p.Of(best) && v.Loop <= best.Loop && p.Check(moved) == nil {
				stages, best = moved, v
				break
			}
		}
	}
	return stages
}
