package experiments

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// A policy places a model as another system's published description says. Unit 0
// stays at the source, as everywhere here. What a policy returns need not fit.
type policy struct {
	name  string
	place func(ctx context.Context, c *cluster) ([]edgeshard.Stage, error)
}

// policies are the other systems', each by what it looks at; peers/README.md has
// their sources.
var policies = []policy{
	{"exo", exo},                 // the fewest devices whose memory holds the weights; in proportion to memory
	{"llamacpp-rpc", llamaCPP},   // all devices, in proportion to memory
	{"cake", cake},               // in proportion to FLOPS, no device beyond its memory
	{"parallax", parallax},       // the fewest devices that hold the weights; in proportion to FLOPS within memory
	{"pipeedge", pipeEdge},       // least longest stage or transfer; a device has one bandwidth, links no latency
	{"mesh-llm", meshLLM},        // least longest stage within memory; as few stages as one latency for all hops asks
	{"halda", halda},             // least time in the order of the devices within memory; links cost nothing
	{"helix-even", evenlyOnEach}, // as many units on each device
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

// A cluster is what policies see: the problem, and what it leaves out.
type cluster struct {
	*solver.Problem
	flops   []float64 // [device] its rate, or where only a profile is known its speed
	weights []int64   // [unit] bytes, without KV caches
}

func newCluster(p *solver.Problem, job *edgeshard.Plan) *cluster {
	c := &cluster{Problem: p}
	footprint := edgeshard.NewFootprint(job.Model.Config, job.Model.Precision, &job.Workload)
	for u := range p.Units {
		c.weights = append(c.weights, footprint.Weights(u))
	}
	for d := range p.Devices {
		c.flops = append(c.flops, speed(p, job, d))
	}
	return c
}

func speed(p *solver.Problem, job *edgeshard.Plan, d int) float64 {
	if f := float64(job.Topology.Devices[d].FLOPS); f > 0 || p.Devices[d].Class < 0 {
		return f
	}
	total := int64(1)
	for _, t := range p.Class(d).Step {
		total += t
	}
	return 1e9 / float64(total)
}

// policyPlan plans a job by another system's policy.
func policyPlan(ctx context.Context, p policy, job edgeshard.Plan, o solver.Options) (*edgeshard.Plan, error) {
	problem, err := solver.New(job.Spec(), job.Workload, o)
	if err != nil {
		return nil, err
	}
	stages, err := p.place(ctx, newCluster(problem, &job))
	if err != nil {
		return nil, err
	}
	problem.Revisits = problem.Revisits || !o.OneVisit // a star's source has the first unit and the last ones
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
	switch value := float64(problem.Of(problem.Value(stages))) / 1e6; problem.Objective {
	case edgeshard.Energy:
		job.ObjectiveMJ, job.ObjectiveMS = value, float64(problem.Value(stages).Loop)/1e6
	case edgeshard.Throughput:
		job.ObjectiveMS = value / float64(problem.MicroBatches)
	default:
		job.ObjectiveMS = value
	}
	job.Solver = edgeshard.Solution{Name: p.name, Note: p.name + " proves nothing"}
	return &job, nil
}

// memory is what a device has for units.
func (c *cluster) memory(d int) float64 { return float64(max(c.Class(d).Budget, 0)) }

// order is the source, then the others as the topology lists them.
func (c *cluster) order() []int {
	order := []int{c.Source}
	for d := range c.Devices {
		if d != c.Source && c.Devices[d].Class >= 0 {
			order = append(order, d)
		}
	}
	return order
}

// largestFirst is the source, then the others by their memory.
func (c *cluster) largestFirst() []int {
	order := c.order()
	slices.SortStableFunc(order[1:], func(a, b int) int { return cmp.Compare(c.memory(b), c.memory(a)) })
	return order
}

// lacking says that a policy finds no place for the model.
func lacking(text string) error {
	return &solver.Infeasible{Reasons: []solver.Reason{{Text: text}}}
}

// stages gives devices numbers of units, one after another.
func (c *cluster) stages(devices, counts []int) []edgeshard.Stage {
	var at []int
	for i, n := range counts {
		at = append(at, slices.Repeat([]int{devices[i]}, n)...)
	}
	return c.runs(at)
}

// runs makes a stage of each run of units on one device.
func (c *cluster) runs(at []int) []edgeshard.Stage {
	return edgeshard.StagesOf(at, func(d int) string { return c.Devices[d].Name })
}

// exo takes the fewest devices whose memory together holds the weights, of equally
// few those with the most, and divides the units by memory.
func exo(_ context.Context, c *cluster) ([]edgeshard.Stage, error) {
	var need, have float64
	for _, w := range c.weights {
		need += float64(w)
	}
	var chosen []int
	var share []float64
	for _, d := range c.largestFirst() {
		if have >= need {
			break
		}
		have += c.memory(d)
		chosen = append(chosen, d)
	}
	if have < need || len(chosen) > c.Units {
		return nil, lacking("the memory of all devices does not hold the weights")
	}
	slices.Sort(chosen[1:]) // the ring has no order of memory
	for _, d := range chosen {
		share = append(share, c.memory(d))
	}
	return c.stages(chosen, largestRemainder(c.Units, share)), nil
}

// largestRemainder divides n by weights: each share rounded down, and one more for
// those that lost most; none gets less than one while another has more.
func largestRemainder(n int, weights []float64) []int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	counts, lost, left := make([]int, len(weights)), make([]float64, len(weights)), n
	for i, w := range weights {
		exact := float64(n) * w / total
		counts[i] = int(exact)
		lost[i] = exact - float64(counts[i])
		left -= counts[i]
	}
	for ; left > 0; left-- {
		i := slices.Index(lost, slices.Max(lost))
		counts[i]++
		lost[i] = -1
	}
	for i := range counts {
		if counts[i] == 0 {
			counts[slices.Index(counts, slices.Max(counts))]--
			counts[i]++
		}
	}
	return counts
}

// llamaCPP divides blocks and head by memory over the other devices, then the
// host: unit i of n goes to the first device whose share of the running sum of
// memory is above i / n.
func llamaCPP(_ context.Context, c *cluster) ([]edgeshard.Stage, error) {
	order := c.order()
	order = append(order[1:], c.Source)
	total := 0.0
	for _, d := range order {
		total += c.memory(d)
	}
	at, n := []int{c.Source}, c.Units-1
	for i := range n {
		sum, place := 0.0, c.Source
		for _, d := range order {
			if sum += c.memory(d); sum/total > float64(i)/float64(n) {
				place = d
				break
			}
		}
		at = append(at, place)
	}
	return c.runs(at), nil
}

// cake gives its workers, the fastest first, blocks in proportion to FLOPS, none
// beyond its memory; the master keeps the others, which are the last, and both
// ends of the model. What the master cannot hold goes to workers with room.
func cake(_ context.Context, c *cluster) ([]edgeshard.Stage, error) {
	workers := c.order()[1:]
	slices.SortStableFunc(workers, func(a, b int) int { return cmp.Compare(c.flops[b], c.flops[a]) })
	all := 0.0
	for _, d := range workers {
		all += c.flops[d]
	}
	blocks := c.Units - 2
	left, speed := int(math.Round(all/(all+c.flops[c.Source])*float64(blocks))), all
	given, kept := make([]int, len(workers)), blocks
	for i, d := range workers {
		n := left
		if i < len(workers)-1 {
			n = min(max(int(math.Round(c.flops[d]/speed*float64(left))), 1), left)
		}
		given[i] = min(n, c.capacity(d, 0))
		left, kept, speed = left-given[i], kept-given[i], speed-c.flops[d]
	}
	beyond := kept - c.capacity(c.Source, c.weights[0]+c.weights[c.Units-1])
	for i, d := range workers {
		if n := min(c.capacity(d, 0)-given[i], beyond); n > 0 {
			given[i], kept, beyond = given[i]+n, kept-n, beyond-n
		}
	}
	return c.stages(append(append([]int{c.Source}, workers...), c.Source), append(append([]int{1}, given...), kept+1)), nil
}

// capacity is how many blocks a device holds beside some bytes.
func (c *cluster) capacity(d int, beside int64) int {
	widest := slices.Max(c.weights[1 : c.Units-1])
	return int(max(c.Class(d).Budget-beside, 0) / widest)
}

func evenlyOnEach(_ context.Context, c *cluster) ([]edgeshard.Stage, error) {
	devices := c.order()
	devices = devices[:min(len(devices), c.Units)]
	return c.stages(devices, largestRemainder(c.Units, slices.Repeat([]float64{1}, len(devices)))), nil
}
