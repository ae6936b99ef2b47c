package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// A policy places a model as another system's published description says. Unit 0
// stays at the source, as everywhere here, so the source comes first. What a
// policy returns need not fit.
type policy struct {
	name  string
	place func(ctx context.Context, p *solver.Problem, spec edgeshard.Spec) ([]edgeshard.Stage, error)
}

// policies are the other systems', each by what it looks at.
var policies = []policy{
	{"exo", byShare(memoryOf, largestMemoryFirst)}, // in proportion to memory, in order of memory; links are not looked at
	{"llamacpp-rpc", byShare(memoryOf, asListed)},  // in proportion to memory, in the order of the devices
	{"cake", byShare(flopsOf, asListed)},           // in proportion to FLOPS; memory is not looked at
	{"parallax", byFilling},                        // in proportion to FLOPS, no device beyond its memory
	{"pipeedge", minMax(linksByBandwidth, true)},   // least longest stage or transfer; no latency of links, no memory
	{"mesh-llm", minMax(linksAlike, false)},        // the same within memory; links alike in both directions
	{"halda", halda},                               // least time in the order of the devices within memory; links cost nothing
	{"helix-even", byShare(one, asListed)},         // as many layers on each device
}

// PolicyNames returns the names of other systems' policies, which the setting
// "solver" takes beside the solver package's.
func PolicyNames() []string {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = p.name
	}
	return names
}

// policyPlan plans a job by another system's policy.
func policyPlan(ctx context.Context, p policy, job edgeshard.Plan, o solver.Options) (*edgeshard.Plan, error) {
	problem, err := solver.New(job.Spec(), job.Workload, o)
	if err != nil {
		return nil, err
	}
	stages, err := p.place(ctx, problem, job.Spec())
	if err != nil {
		return nil, err
	}
	if err := problem.Check(stages); err != nil {
		return nil, err
	}
	job.Objective, job.Stages = problem.Objective, stages
	if err := job.Validate(); err != nil {
		return nil, err
	}
	costs, err := job.Costs()
	if err != nil {
		return nil, err
	}
	job.Predict(costs)
	job.ObjectiveMS = float64(problem.Of(problem.Value(stages))) / 1e6
	if problem.Objective == edgeshard.Throughput {
		job.ObjectiveMS /= float64(problem.MicroBatches)
	}
	job.Solver = edgeshard.Solution{Name: p.name, Note: p.name + " proves nothing"}
	return &job, nil
}

func memoryOf(p *solver.Problem, _ edgeshard.Spec, d int) float64 {
	return float64(max(p.Class(d).Budget, 0))
}

// flopsOf is the device's rate, or where only a profile is known its speed.
func flopsOf(p *solver.Problem, s edgeshard.Spec, d int) float64 {
	if f := float64(s.Topology.Devices[d].FLOPS); f > 0 {
		return f
	}
	total := int64(1)
	for _, t := range p.Class(d).Step {
		total += t
	}
	return 1e9 / float64(total)
}

func one(*solver.Problem, edgeshard.Spec, int) float64 { return 1 }

// asListed is the source, then the others as the topology lists them.
func asListed(p *solver.Problem) []int {
	order := []int{p.Source}
	for d := range p.Devices {
		if d != p.Source && p.Devices[d].Class >= 0 {
			order = append(order, d)
		}
	}
	return order
}

func largestMemoryFirst(p *solver.Problem) []int {
	order := asListed(p)
	slices.SortStableFunc(order[1:], func(a, b int) int { return int(min(max(p.Class(b).Budget-p.Class(a).Budget, -1), 1)) })
	return order
}

// byShare gives each device units in proportion to its weight.
func byShare(weight func(*solver.Problem, edgeshard.Spec, int) float64, order func(*solver.Problem) []int) func(context.Context, *solver.Problem, edgeshard.Spec) ([]edgeshard.Stage, error) {
	return func(_ context.Context, p *solver.Problem, s edgeshard.Spec) ([]edgeshard.Stage, error) {
		devices := order(p)
		weights := make([]float64, len(devices))
		for i, d := range devices {
			weights[i] = weight(p, s, d)
		}
		return stagesOf(p, devices, shares(p.Units, weights)), nil
	}
}

// shares divides n units by weights, to the nearest of the running sum; the first
// device has one at least.
func shares(n int, weights []float64) []int {
	total, sum, given := 0.0, 0.0, 0
	for _, w := range weights {
		total += w
	}
	counts := make([]int, len(weights))
	for i, w := range weights {
		sum += w
		upTo := n
		if total > 0 && i < len(weights)-1 {
			upTo = int(math.Round(float64(n) * sum / total))
		}
		if i == 0 {
			upTo = max(upTo, 1)
		}
		counts[i] = max(upTo-given, 0)
		given += counts[i]
	}
	return counts
}

func stagesOf(p *solver.Problem, devices, counts []int) []edgeshard.Stage {
	var stages []edgeshard.Stage
	at := 0
	for i, n := range counts {
		if n > 0 {
			stages = append(stages, edgeshard.Stage{Name: p.Devices[devices[i]].Name, Device: devices[i], From: at, To: at + n})
			at += n
		}
	}
	return stages
}

// byFilling shares by FLOPS; what is beyond a device's memory is shared among
// those that have room, until all is placed.
func byFilling(_ context.Context, p *solver.Problem, s edgeshard.Spec) ([]edgeshard.Stage, error) {
	devices := asListed(p)
	widest := slices.Max(p.Weight)
	caps, counts := make([]int, len(devices)), make([]int, len(devices))
	for i, d := range devices {
		caps[i] = int(max(p.Class(d).Budget, 0) / widest)
	}
	for left := p.Units; left > 0; {
		weights, open := make([]float64, len(devices)), 0
		for i, d := range devices {
			if counts[i] < caps[i] {
				weights[i], open = flopsOf(p, s, d), open+1
			}
		}
		if open == 0 {
			return nil, &solver.Infeasible{Reasons: []solver.Reason{{Text: fmt.Sprintf("%d units are beyond the memory of all devices", left)}}}
		}
		for i, n := range fill(left, weights) {
			n = min(n, caps[i]-counts[i], left)
			counts[i] += n
			left -= n
		}
	}
	if counts[0] == 0 {
		return nil, &solver.Infeasible{Reasons: []solver.Reason{{Device: p.Devices[p.Source].Name, Text: "the source has no room for a unit"}}}
	}
	return stagesOf(p, devices, counts), nil
}

// fill divides n units by weights, at least one to a device that has any weight.
func fill(n int, weights []float64) []int {
	counts := shares(n, weights)
	for i, w := range weights {
		if w == 0 {
			counts[i] = 0
		}
	}
	if best := slices.Index(weights, slices.Max(weights)); counts[best] == 0 {
		counts[best] = 1
	}
	return counts
}

// minMax finds the plan with the least longest stage or transfer, exactly, as the
// solver "edgeshard" does, in another system's view of links and memory.
func minMax(link func(p *solver.Problem, from, to int) solver.Link, boundless bool) func(context.Context, *solver.Problem, edgeshard.Spec) ([]edgeshard.Stage, error) {
	return func(ctx context.Context, p *solver.Problem, _ edgeshard.Spec) ([]edgeshard.Stage, error) {
		view := *p
		view.Objective, view.Revisits = edgeshard.Throughput, false
		view.Links = make([][]solver.Link, len(p.Links))
		for a := range p.Links {
			for b := range p.Links[a] {
				view.Links[a] = append(view.Links[a], link(p, a, b))
			}
		}
		view.Classes = slices.Clone(p.Classes)
		for k := range view.Classes {
			if boundless {
				view.Classes[k].Budget = math.MaxInt64 / 4
			}
		}
		r, err := solver.Solve(ctx, &view, solver.Options{Solver: "edgeshard", Objective: edgeshard.Throughput})
		if err != nil {
			return nil, err
		}
		return r.Stages, nil
	}
}

func linksByBandwidth(p *solver.Problem, a, b int) solver.Link {
	l := p.Links[a][b]
	l.Step = l.Occupancy
	return l
}

// linksAlike takes the slower of the two directions for both.
func linksAlike(p *solver.Problem, a, b int) solver.Link {
	l, back := p.Links[a][b], p.Links[b][a]
	l.Step, l.Occupancy = max(l.Step, back.Step), max(l.Occupancy, back.Occupancy)
	return l
}

// halda minimises the sum of compute times in the order of the devices, each
// within its memory: best[i][u] is the least time of the first u units on the
// first i devices.
func halda(_ context.Context, p *solver.Problem, _ edgeshard.Spec) ([]edgeshard.Stage, error) {
	devices := asListed(p)
	best := fillInts(p.Units+1, solver.Never)
	best[0] = 0
	choice := make([][]int, len(devices))
	for i, d := range devices {
		best, choice[i] = haldaStep(p, p.Class(d), best, i == 0)
	}
	if best[p.Units] >= solver.Never {
		return nil, &solver.Infeasible{Reasons: []solver.Reason{{Text: "the devices, in their order, do not hold the model"}}}
	}
	counts := make([]int, len(devices))
	for i, u := len(devices)-1, p.Units; i >= 0; i-- {
		counts[i] = choice[i][u]
		u -= counts[i]
	}
	return stagesOf(p, devices, counts), nil
}

// haldaStep gives one more device its units: after[u] is the least time of u
// units, and taken[u] how many of them are the device's.
func haldaStep(p *solver.Problem, c *solver.Class, before []int64, source bool) (after []int64, taken []int) {
	after, taken = fillInts(p.Units+1, solver.Never), make([]int, p.Units+1)
	for from, t := range before {
		if t >= solver.Never {
			continue
		}
		time, memory := t, int64(0)
		for to := from; ; to++ {
			if time < after[to] && (to > from || !source) {
				after[to], taken[to] = time, to-from
			}
			if to == p.Units {
				break
			}
			if memory += p.Weight[to]; memory > c.Budget || c.Request[to] >= solver.Never {
				break
			}
			time += c.Request[to]
		}
	}
	return after, taken
}

func fillInts(n int, v int64) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = v
	}
	return list
}
