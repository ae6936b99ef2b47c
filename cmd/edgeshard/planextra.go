package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// planExtras are what plan shows or writes beside the plan.
type planExtras struct {
	explain     bool
	pareto      bool
	plot        string
	certificate string
}

func (x *planExtras) register(cmd *cobra.Command, s *solverFlags) {
	f, o := cmd.Flags(), &s.options
	f.StringToStringVar(&s.pins, "pin", nil, "units pinned to devices, as UNIT=DEVICE")
	f.DurationVar(&o.MaxLatency, "max-latency", 0, "bound on a request's time")
	f.Float64Var(&o.MinThroughput, "min-throughput", 0, "bound on steady-state tokens/s")
	f.IntVar(&o.MaxBatch, "max-batch", 0, "choose batch and micro-batch with a throughput plan, up to so many sequences")
	f.BoolVar(&x.explain, "explain", false, "say why: unused devices, what binds, shadow prices, flip points")
	f.BoolVar(&x.pareto, "pareto", false, "show the exact front of latency and throughput")
	f.StringVar(&x.plot, "plot", "", "draw the front to this .svg or .png file")
	f.StringVar(&x.certificate, "certificate", "", "write the proof to this file, for plan verify")
}

// resolve returns the options that the flags state.
func (s *solverFlags) resolve() (solver.Options, error) {
	o := s.options
	switch o.Objective = edgeshard.Objective(s.objective); o.Objective {
	case edgeshard.Latency, edgeshard.Throughput, edgeshard.Energy:
	default:
		return o, usagef("--objective is %q: want latency, throughput or energy", s.objective)
	}
	for unit, device := range s.pins {
		u, err := strconv.Atoi(unit)
		if err != nil {
			return o, usagef("--pin is %s=%s: want UNIT=DEVICE", unit, device)
		}
		if o.Pins == nil {
			o.Pins = make(map[int]string)
		}
		o.Pins[u] = device
	}
	return o, nil
}

// An extendedPlan is a plan with what was asked for beside it.
type extendedPlan struct {
	*edgeshard.Plan
	Explanation *solver.Explanation `json:"explanation,omitempty"`
	Pareto      []paretoPoint       `json:"pareto,omitempty"`
}

// add makes the extras of a plan.
func (x *planExtras) add(ctx context.Context, a *app, p *edgeshard.Plan, r *solver.Result, o solver.Options) (*extendedPlan, error) {
	e := &extendedPlan{Plan: p}
	var err error
	if x.explain {
		if e.Explanation, err = solver.Explain(ctx, p.Spec(), p.Workload, r); err != nil {
			return nil, err
		}
	}
	if x.pareto || x.plot != "" {
		if e.Pareto, err = paretoFront(ctx, p, o); err != nil {
			return nil, err
		}
	}
	if x.plot != "" {
		if err := drawFront(p, e.Pareto, x.plot); err != nil {
			return nil, err
		}
	}
	if x.certificate != "" {
		return e, x.certify(a, r, o)
	}
	return e, nil
}

// certify writes the result's certificate.
func (x *planExtras) certify(a *app, r *solver.Result, o solver.Options) error {
	if !r.Proved && r.Bound == 0 {
		return usagef("--certificate: solver %s proves nothing: use exact", o.Solver)
	}
	return a.writeJSON(x.certificate, r.Certificate(o.Constraints))
}

// show writes the extras for people.
func (e *extendedPlan) show(a *app) {
	if e.Explanation != nil {
		e.explain(a)
	}
	if e.Pareto != nil {
		a.title("front of latency and throughput, revisits not allowed")
		var rows [][]string
		for _, p := range e.Pareto {
			rows = append(rows, []string{digits(p.LatencyMS) + " ms", digits(p.Throughput), provedText(p.Proved), stagesLine(p.Stages)})
		}
		a.table([]string{"latency", "tokens/s", "", "stages"}, rows)
	}
}

func provedText(proved bool) string {
	if proved {
		return "proved"
	}
	return ""
}

func (e *extendedPlan) explain(a *app) {
	x := e.Explanation
	a.title("why")
	for _, n := range x.Notes {
		a.printf("  %s", n)
	}
	for _, u := range x.Unused {
		a.printf("  %s", idleLine(u))
	}
	for _, p := range x.Prices {
		a.printf("  one %s more on the %s: %.4g ms a token less", p.Unit, p.What, p.MSPerToken)
	}
	for _, f := range x.Flips {
		a.printf("  with %.3g times the %s another plan is best: %s", f.Factor, f.What, stagesLine(f.Stages))
	}
}

// idleLine says in a line why devices run nothing.
func idleLine(u solver.Unused) string {
	names := u.Devices[0]
	if n := len(u.Devices); n > 1 {
		names += fmt.Sprintf(" and %d alike", n-1)
	}
	switch {
	case !u.Possible:
		return fmt.Sprintf("%s: no plan that uses it fits, for want of %s", names, u.Reason)
	case u.CostMS == 0:
		return names + ": unused, a plan with it is as good"
	}
	return fmt.Sprintf("%s: unused, the best plan with it is %s slower, mostly by its %s (%s less without that)",
		names, msText(u.CostMS), u.Reason, msText(u.SavedMS))
}

func stagesLine(stages []edgeshard.Stage) string {
	var parts []string
	for _, s := range stages {
		parts = append(parts, fmt.Sprintf("%s[%d–%d]", s.Name, s.From, s.To-1))
	}
	return strings.Join(parts, " ")
}
