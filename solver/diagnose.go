package solver

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/edgeshard/edgeshard"
)

// A restraint is a group of constraints that diagnosis can lift.
type restraint struct {
	text string
	lift func(p *Problem)
}

// restraints returns what holds a problem back beside its links.
func (p *Problem) restraints() []restraint {
	var all []restraint
	add := func(active bool, text string, lift func(*Problem)) {
		if active {
			all = append(all, restraint{text, lift})
		}
	}
	add(p.MaxRequest < never, fmt.Sprintf("a request may take %.3f ms at most", float64(p.MaxRequest)/1e6), func(q *Problem) { q.MaxRequest = never })
	add(p.MaxLoop < never, fmt.Sprintf("a round of all micro-batches may take %.3f ms at most", float64(p.MaxLoop)/1e6), func(q *Problem) { q.MaxLoop = never })
	for _, d := range p.Forced {
		add(true, p.Devices[d].Name+" must run some unit", func(q *Problem) {
			q.Forced = slices.DeleteFunc(slices.Clone(q.Forced), func(f int) bool { return f == d })
		})
	}
	for u, d := range p.Pins {
		add(d >= 0 && u >= p.Private, fmt.Sprintf("unit %d must be on %s", u, p.nameOf(d)), func(q *Problem) {
			q.Pins = slices.Clone(q.Pins)
			q.Pins[u] = -1
		})
	}
	add(p.Private > 1, fmt.Sprintf("the first %d units must be on %s", p.Private, p.nameOf(p.Source)), func(q *Problem) { q.Private = 1 })
	add(!p.Revisits, "a device may have one stage only", func(q *Problem) { q.Revisits = true })
	add(true, "memory", (*Problem).unlimited)
	return all
}

func (p *Problem) nameOf(device int) string {
	if device < 0 {
		return "no device"
	}
	return p.Devices[device].Name
}

// unlimited gives every device all the memory there can be use for.
func (p *Problem) unlimited() {
	p.Classes = slices.Clone(p.Classes)
	for k := range p.Classes {
		p.Classes[k].Budget = sum(p.Weight)
	}
}

// diagnose returns a smallest set of reasons why a problem has no plan: lifting
// any one of them gives it one. What lifting all the others does not change is
// left out (a deletion filter: Chinneck, Feasibility and Infeasibility in
// Optimization, 2008).
//
// Diagnosis itself must solve; past its time the reasons are those that can be
// told without.
func diagnose(ctx context.Context, p *Problem) error {
	timed, cancel := context.WithTimeout(ctx, diagnosis)
	defer cancel()
	reasons := p.reasons(timed)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if timed.Err() != nil || len(reasons) == 0 {
		reasons = append(p.pinnedReasons(), p.largestReasons()...)
	}
	if len(reasons) == 0 {
		reasons = []Reason{{Text: "no plan keeps to memory, links and the constraints together"}}
	}
	return &Infeasible{Reasons: reasons}
}

// diagnosis is how long finding reasons may take.
const diagnosis = 3 * time.Second

// reasons filters the restraints.
func (p *Problem) reasons(ctx context.Context) []Reason {
	kept := p.restraints()
	lifted := p.bounded()
	for i := 0; i < len(kept); {
		q := lifted.bounded()
		kept[i].lift(q)
		if feasible(ctx, q) {
			i++
			continue
		}
		lifted, kept = q, slices.Delete(kept, i, i+1)
	}
	var reasons []Reason
	for _, r := range kept {
		if r.text == "memory" {
			reasons = append(reasons, lifted.memoryReasons(ctx)...)
			continue
		}
		reasons = append(reasons, Reason{Text: r.text})
	}
	if len(kept) == 0 {
		return []Reason{{Text: "no links lead over the devices that the units need"}}
	}
	return reasons
}

// feasible tells whether the problem has a plan.
func feasible(ctx context.Context, p *Problem) bool {
	e := &prover{p: p, original: p, result: &Result{}}
	e.start(ctx, nil)
	if e.best < never || p.hopeless() {
		return e.best < never
	}
	tau := never
	if p.MaxLoop < never {
		tau = p.MaxLoop / int64(p.MicroBatches)
	}
	q := *p
	q.Objective = edgeshard.Latency
	e.p, e.original = &q, &q
	e.minimise(ctx, tau, min(p.MaxRequest, never-1)+1, true)
	return e.best < never
}

// memoryReasons says what memory is missing: for the units pinned to a device, for
// the largest unit, or else the least that the roomiest device would need more.
func (p *Problem) memoryReasons(ctx context.Context) []Reason {
	if r := append(p.pinnedReasons(), p.largestReasons()...); len(r) > 0 {
		return r
	}
	d, budget := p.roomiest()
	enough := func(extra int64) bool {
		q := p.Apart([]int{d})
		q.Classes[q.Devices[d].Class].Budget = budget + extra
		return feasible(ctx, q)
	}
	candidates := p.budgets(budget)
	at := sort.Search(len(candidates), func(i int) bool { return ctx.Err() != nil || enough(candidates[i]-budget) })
	if at == len(candidates) {
		return []Reason{{Text: "the memory of several devices is too small for the units they must run"}}
	}
	high := candidates[at] - budget
	name := p.Devices[d].Name
	text := fmt.Sprintf("memory: %s, the roomiest device, lacks %s", name, amount(high))
	if held, need := p.held(), sum(p.Weight); held < p.Units {
		text += fmt.Sprintf(": all devices together hold at most %d of the %d units, which need %s", held, p.Units, amount(need))
	}
	return []Reason{{Device: name, Missing: high, Text: text}}
}

// budgets returns the budgets above one that could make a difference, ascending:
// those that units fill, or where there are too many of these so many steps.
func (p *Problem) budgets(above int64) []int64 {
	sums := fills(p.Weight)
	if sums == nil {
		for x := range int64(256) {
			sums = append(sums, above+(x+1)*(sum(p.Weight)/256+1))
		}
	}
	at, found := slices.BinarySearch(sums, above)
	if found {
		at++
	}
	return sums[at:]
}
