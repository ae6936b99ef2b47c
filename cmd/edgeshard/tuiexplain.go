package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
	"github.com/edgeshard/edgeshard/tui"
)

// explain says why a device, a link or a cut of the best plan is as it is: all
// that is known of it so far, whenever there is more.
func (p *planner) explain(ctx context.Context, q *tui.Question, s tui.Subject, tell func([]string)) error {
	if s.Unit >= 0 {
		return p.explainUnit(ctx, q, s.Unit, tell)
	}
	a, err := p.answer(ctx, q)
	if err != nil {
		return err
	}
	x := explained{plan: a.plan}
	say := func() {
		d := x.plan.Topology.Devices
		if s.Device >= 0 {
			tell(x.device(s.Device))
			return
		}
		tell(x.link(d[s.From].Name, d[s.To].Name))
	}
	p.mu.Lock()
	known, done := a.findings[s]
	p.mu.Unlock()
	if done {
		x.Explanation, x.complete = known, true
		say()
		return nil
	}
	say()
	err = solver.ExplainSome(ctx, a.plan.Spec(), a.plan.Workload, a.result, wanted(a.plan, s), func(part solver.Explanation) {
		x.Add(part)
		say()
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	a.findings[s] = x.Explanation
	p.mu.Unlock()
	x.complete = true
	say()
	return nil
}

// answer returns the exact answer to a question: the last one, if it is that.
func (p *planner) answer(ctx context.Context, q *tui.Question) (answered, error) {
	key, err := json.Marshal(q)
	if err != nil {
		return answered{}, err
	}
	p.mu.Lock()
	a := p.last
	p.mu.Unlock()
	if a.question == string(key) {
		return a, nil
	}
	plan, result, err := p.solve(ctx, q)
	return answered{string(key), plan, result, make(map[tui.Subject]solver.Explanation)}, err
}

// wanted picks what is to be asked about a subject. Devices of one class are
// asked about as one, by any of their names.
func wanted(p *edgeshard.Plan, s tui.Subject) func(what string) bool {
	d := p.Topology.Devices
	if s.Device < 0 {
		return func(what string) bool {
			return what == linkWords(d[s.From].Name, d[s.To].Name) || what == linkWords(d[s.To].Name, d[s.From].Name)
		}
	}
	return func(what string) bool {
		if what == "memory of "+d[s.Device].Name {
			return true
		}
		return slices.ContainsFunc(d, func(twin topologies.Device) bool {
			return twin.Class == d[s.Device].Class && (what == "use of "+twin.Name || what == "speed of "+twin.Name)
		})
	}
}

func linkWords(from, to string) string { return "link " + from + " to " + to }

// explained is what is known of a plan so far.
type explained struct {
	solver.Explanation
	plan     *edgeshard.Plan
	complete bool
}

func (x explained) device(i int) []string {
	var lines []string
	d := x.plan.Topology.Devices
	name := d[i].Name
	for _, s := range x.plan.Stages {
		if s.Name == name {
			lines = append(lines, fmt.Sprintf("It runs units %d to %d, with %s of memory in all.", s.From, s.To-1, bytesText(x.plan.Predicted.Memory[name])))
		}
	}
	for _, u := range x.Unused {
		if slices.Contains(u.Devices, name) {
			lines = append(lines, unusedText(u))
		}
	}
	lines = append(lines, x.of(wanted(x.plan, tui.Subject{Device: i}))...)
	return append(lines, x.Notes...)
}

// unusedText says why a device runs nothing.
func unusedText(u solver.Unused) string {
	if !u.Possible {
		return fmt.Sprintf("It runs nothing: no plan that uses it fits, for want of %s.", u.Reason)
	}
	return fmt.Sprintf("It runs nothing: the best plan with it is %s slower, mostly by its %s (%s less without that).",
		msText(u.CostMS), u.Reason, msText(u.SavedMS))
}

func (x explained) link(from, to string) []string {
	is := func(a, b string) func(string) bool {
		return func(what string) bool { return what == linkWords(a, b) }
	}
	lines := append(x.of(is(from, to)), x.of(is(to, from))...)
	if len(lines) == 0 && x.complete {
		lines = append(lines, "The plan does not use it, in neither direction.")
	}
	return append(lines, x.Notes...)
}

// of returns the prices and flips of things.
func (x explained) of(is func(what string) bool) []string {
	var lines []string
	for _, p := range x.Prices {
		if is(p.What) {
			lines = append(lines, fmt.Sprintf("One %s more on the %s saves %.3g ms a token.", p.Unit, p.What, p.MSPerToken))
		}
	}
	for _, f := range x.Flips {
		if is(f.What) {
			lines = append(lines, fmt.Sprintf("With %.3g times the %s another plan is best: %s.", f.Factor, f.What, stagesText(f.Stages)))
		}
	}
	return lines
}

func stagesText(stages []edgeshard.Stage) string {
	var parts []string
	for _, s := range stages {
		parts = append(parts, fmt.Sprintf("%s %d–%d", s.Name, s.From, s.To-1))
	}
	return strings.Join(parts, ", ")
}

// explainUnit says what it would cost to have a unit elsewhere: on the devices of
// the stages beside its own.
func (p *planner) explainUnit(ctx context.Context, q *tui.Question, unit int, tell func([]string)) error {
	a, err := p.answer(ctx, q)
	if err != nil {
		return err
	}
	stages := a.plan.Stages
	at := slices.IndexFunc(stages, func(s edgeshard.Stage) bool { return unit < s.To })
	own := stages[at].Name
	lines := []string{fmt.Sprintf("Unit %d is on %s, with units %d to %d.", unit, own, stages[at].From, stages[at].To-1)}
	if unit < max(q.Private, 1) {
		tell(append(lines, "It must be at the source: raw tokens never leave it."))
		return nil
	}
	tell(slices.Clone(lines))
	tried := map[string]bool{own: true}
	for _, i := range []int{at - 1, at + 1} {
		if i < 0 || i >= len(stages) || tried[stages[i].Name] {
			continue
		}
		tried[stages[i].Name] = true
		best, err := p.planWith(ctx, q, unit, stages[i].Name)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		lines = append(lines, elsewhere(a.plan, best, stages[i].Name, err))
		tell(slices.Clone(lines))
	}
	return nil
}

// planWith solves a question with a unit pinned to a device; the answer is no
// hint for the questions that follow.
func (p *planner) planWith(ctx context.Context, q *tui.Question, unit int, device string) (*edgeshard.Plan, error) {
	other := *q
	other.Pins = maps.Clone(q.Pins)
	if other.Pins == nil {
		other.Pins = make(map[int]string)
	}
	other.Pins[unit] = device
	job, err := jobOf(&other)
	if err != nil {
		return nil, err
	}
	plan, _, err := solver.Plan(ctx, job, p.optionsOf(&other))
	return plan, err
}

// elsewhere compares a plan with the best one that has a unit on another device.
func elsewhere(plan, other *edgeshard.Plan, device string, err error) string {
	var none *solver.Infeasible
	switch {
	case errors.As(err, &none):
		return fmt.Sprintf("On %s: %s.", device, none.Reasons[0].Text)
	case err != nil:
		return fmt.Sprintf("On %s: %v.", device, err)
	}
	return fmt.Sprintf("On %s: %s more, with %s.", device, msText(other.ObjectiveMS-plan.ObjectiveMS), stagesText(other.Stages))
}
