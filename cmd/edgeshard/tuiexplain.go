package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/tui"
)

// explain says why a device, a link or a cut of the best plan is as it is.
func (p *planner) explain(ctx context.Context, q *tui.Question, s tui.Subject) ([]string, error) {
	if s.Unit >= 0 {
		return p.explainUnit(ctx, q, s.Unit)
	}
	x, err := p.explanation(ctx, q)
	if err != nil {
		return nil, err
	}
	d := x.plan.Topology.Devices
	if s.Device >= 0 {
		return x.device(d[s.Device].Name), nil
	}
	return x.link(d[s.From].Name, d[s.To].Name), nil
}

// explanation returns the solver's explanation of a question's answer. It takes
// many solves, so the last one is kept for the next device or link.
func (p *planner) explanation(ctx context.Context, q *tui.Question) (x explained, err error) {
	key, err := json.Marshal(q)
	if err != nil {
		return x, err
	}
	p.mu.Lock()
	x, known := p.explained, p.asked == string(key)
	p.mu.Unlock()
	if known {
		return x, nil
	}
	plan, result, err := p.solve(ctx, q)
	if err != nil {
		return x, err
	}
	e, err := solver.Explain(ctx, plan.Spec(), plan.Workload, result)
	if err != nil {
		return x, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.explained = string(key), explained{e, plan}
	return p.explained, nil
}

func (x explained) device(name string) []string {
	var lines []string
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
	lines = append(lines, x.of("memory of "+name, "speed of "+name)...)
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
	lines := x.of("link " + from + " to " + to)
	back := x.of("link " + to + " to " + from)
	if len(lines)+len(back) == 0 {
		return append([]string{"The plan does not use it, in neither direction."}, x.Notes...)
	}
	return slices.Concat(lines, back, x.Notes)
}

// of returns the prices and flips of things.
func (x explained) of(things ...string) []string {
	var lines []string
	for _, p := range x.Prices {
		if slices.Contains(things, p.What) {
			lines = append(lines, fmt.Sprintf("One %s more on the %s saves %.3g ms a token.", p.Unit, p.What, p.MSPerToken))
		}
	}
	for _, f := range x.Flips {
		if slices.Contains(things, f.What) {
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
func (p *planner) explainUnit(ctx context.Context, q *tui.Question, unit int) ([]string, error) {
	plan, err := p.plan(ctx, q)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(plan.Stages, func(s edgeshard.Stage) bool { return unit < s.To })
	own := plan.Stages[at].Name
	lines := []string{fmt.Sprintf("Unit %d is on %s, with units %d to %d.", unit, own, plan.Stages[at].From, plan.Stages[at].To-1)}
	if unit < max(q.Private, 1) {
		return append(lines, "It must be at the source: raw tokens never leave it."), nil
	}
	tried := map[string]bool{own: true}
	for _, i := range []int{at - 1, at + 1} {
		if i < 0 || i >= len(plan.Stages) || tried[plan.Stages[i].Name] {
			continue
		}
		tried[plan.Stages[i].Name] = true
		other := *q
		other.Pins = map[int]string{unit: plan.Stages[i].Name}
		for u, name := range q.Pins {
			if u != unit {
				other.Pins[u] = name
			}
		}
		best, err := p.plan(ctx, &other)
		lines = append(lines, elsewhere(plan, best, plan.Stages[i].Name, err))
	}
	return lines, ctx.Err()
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
