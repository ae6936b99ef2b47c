package solver

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// New draws the problem of placing a model's units for a workload: the request's
// time is the sum over one prefill pass and Tokens−1 decode passes, each as the
// simulator charges it; the steady state is the decode pass half-way.
func New(spec edgeshard.Spec, w edgeshard.Workload, o Options) (*Problem, error) {
	b, err := newBuilder(spec, w, o)
	if err != nil {
		return nil, err
	}
	if err := b.constraints(o); err != nil {
		return nil, err
	}
	if err := b.energy(o); err != nil {
		return nil, err
	}
	b.classes()
	b.links()
	return b.p, nil
}

type builder struct {
	p        *Problem
	spec     edgeshard.Spec
	costs    edgeshard.Costs
	workload edgeshard.Workload
	prefill  models.Pass
	decodes  []models.Pass
	steady   models.Pass
}

func newBuilder(spec edgeshard.Spec, w edgeshard.Workload, o Options) (*builder, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	costs, err := edgeshard.NewCosts(spec)
	if err != nil {
		return nil, err
	}
	sequences := min(w.Batch, w.Requests)
	micro := min(w.MicroBatch, sequences)
	b := &builder{spec: spec, costs: costs, workload: w, prefill: models.Pass{Batch: micro, Tokens: w.PromptTokens}}
	for t := 1; t < w.Tokens; t++ {
		b.decodes = append(b.decodes, models.Pass{Batch: micro, Tokens: 1, Past: w.PromptTokens + t - 1})
	}
	b.steady = b.prefill
	if n := len(b.decodes); n > 0 {
		b.steady = b.decodes[(n-1)/2]
	}
	b.p = &Problem{
		Objective: o.objective(), Units: spec.Model.Units(), Source: spec.Topology.Source, Cloud: spec.Topology.Cloud,
		MicroBatches: (sequences + micro - 1) / micro, MaxRequest: never, MaxLoop: never,
	}
	if w.Schedule == edgeshard.Sequential {
		b.p.MicroBatches = 1
	}
	return b, nil
}

// constraints names the options' devices.
func (b *builder) constraints(o Options) error {
	p, t := b.p, b.spec.Topology
	p.Private = max(o.Private, 1)
	p.Revisits = !o.OneVisit && p.Objective != edgeshard.Throughput
	if p.Units > mostUnits {
		return fmt.Errorf("solver: the model has %d units: at most %d can be planned", p.Units, mostUnits)
	}
	if p.Private+o.Tail > p.Units || o.Tail < 0 {
		return fmt.Errorf("solver: %d leading and %d trailing units are pinned: the model has %d", p.Private, o.Tail, p.Units)
	}
	p.Devices = make([]Device, len(t.Devices))
	for i := range p.Devices {
		p.Devices[i].Name = t.Devices[i].Name
	}
	p.Pins = make([]int, p.Units)
	for u := range p.Pins {
		p.Pins[u] = -1
		if u >= p.Units-o.Tail {
			p.Pins[u] = p.Source
		}
	}
	if err := b.named(o); err != nil {
		return err
	}
	b.bounds(o)
	return nil
}

func (b *builder) named(o Options) error {
	p := b.p
	for _, name := range o.Exclude {
		d, ok := b.spec.Topology.Index(name)
		if !ok || d == p.Source {
			return fmt.Errorf("solver: cannot exclude %q: want a device other than the source", name)
		}
		p.Devices[d].Class = -1
	}
	for _, name := range o.Force {
		d, ok := b.spec.Topology.Index(name)
		if !ok || p.Devices[d].Class < 0 {
			return fmt.Errorf("solver: cannot force %q: no such device takes part", name)
		}
		p.Forced = append(p.Forced, d)
	}
	for u, name := range o.Pins {
		d, ok := b.spec.Topology.Index(name)
		if !ok || p.Devices[d].Class < 0 || u < 0 || u >= p.Units {
			return fmt.Errorf("solver: cannot pin unit %d to %q: want a unit below %d and a device that takes part", u, name, p.Units)
		}
		if was := p.Pin(u); was >= 0 && was != d {
			return fmt.Errorf("solver: cannot pin unit %d to %q: it is pinned to %s", u, name, p.Devices[was].Name)
		}
		p.Pins[u] = d
	}
	return nil
}

func (b *builder) bounds(o Options) {
	p := b.p
	if o.MaxLatency > 0 {
		p.MaxRequest = min(int64(o.MaxLatency), never)
	}
	if o.MaxRound > 0 {
		p.MaxLoop = min(int64(o.MaxRound), never)
	}
	if o.MinThroughput > 0 {
		tokens := p.MicroBatches * b.prefill.Batch
		p.MaxLoop = min(p.MaxLoop, int64(min(math.Floor(float64(tokens)*1e9/o.MinThroughput), float64(never))))
	}
	p.Revisits = p.Revisits && p.MaxLoop == never
}

// nodeKey is what a device's own numbers depend on.
type nodeKey struct {
	profile          string
	flops, bandwidth float64
	slowdown         float64
	power            float64 // watts, where energy is minimised
	budget           int64
	alone            int // device + 1 where it must be told from its twins
}

// classes groups the devices that take part and draws each group's numbers.
func (b *builder) classes() {
	p, footprint := b.p, b.spec.Footprint(&b.workload)
	p.Weight = make([]int64, p.Units)
	for u := range p.Weight {
		p.Weight[u] = footprint.Unit(u)
	}
	var there []int
	for d := range p.Devices {
		if p.Devices[d].Class >= 0 {
			there = append(there, d)
		}
	}
	budget := func(d int) int64 { return b.spec.Budget(d) - b.spec.Overhead(d) - footprint.Workspace() }
	alone := b.alone()
	groups := twins(len(there), func(i int) nodeKey {
		d := there[i]
		t := &b.spec.Topology.Devices[d]
		return nodeKey{t.Profile, float64(t.FLOPS), float64(t.MemoryBandwidth), max(t.Slowdown, 0), b.power(d), budget(d), alone[d]}
	}, func(from, to int) topologies.Link { return b.spec.Topology.Link(there[from], there[to]) })
	for _, g := range groups {
		c := Class{Budget: budget(there[g[0]])}
		for _, i := range g {
			p.Devices[there[i]].Class = len(p.Classes)
			c.Members = append(c.Members, there[i])
		}
		b.times(&c)
		b.joules(&c)
		p.Classes = append(p.Classes, c)
	}
}

// alone marks the devices that constraints single out.
func (b *builder) alone() map[int]int {
	m := map[int]int{b.p.Source: b.p.Source + 1}
	for _, d := range slices.Concat(b.p.Pins, b.p.Forced) {
		m[d] = d + 1
	}
	return m
}

// times draws a class's unit times. A device without a profile has the roofline,
// by which all blocks are alike.
func (b *builder) times(c *Class) {
	d, units := c.Members[0], b.p.Units
	c.Request, c.Step = make([]int64, units), make([]int64, units)
	alike := b.spec.Topology.Devices[d].Profile == ""
	for u := range units {
		if alike && u > 1 && u < units-1 {
			c.Request[u], c.Step[u] = c.Request[1], c.Step[1]
			continue
		}
		total := min(int64(b.costs.Compute(d, u, b.prefill)), longest)
		for _, pass := range b.decodes {
			total = min(total+int64(b.costs.Compute(d, u, pass)), longest)
		}
		c.Request[u] = total
		c.Step[u] = min(int64(b.costs.Compute(d, u, b.steady)), longest)
	}
	c.Visit = min(int64(b.costs.Stage(d)), longest)
	if d == b.p.Source {
		// Unit 0 is always there: it takes what passes cost the source, and the first stage.
		turn, w := b.costs.Turn(), b.workload
		first, next := int64(turn.First()+b.costs.Stage(d)), int64(turn.Next(&w)+b.costs.Stage(d))
		b.p.Idle = min(next, longest)
		c.Request[0] = min(c.Request[0]+first+next*int64(len(b.decodes)), longest)
		c.Step[0] = min(c.Step[0]+next, longest)
	}
}

func (b *builder) links() {
	p, k := b.p, len(b.p.Classes)
	p.Links, p.Return = make([][]Link, k), make([]Link, k)
	model, w := b.spec.Model, &b.workload
	token := b.spec.ReturnBytes(b.prefill.Batch, w.Return)
	for from := range p.Classes {
		p.Links[from] = make([]Link, k)
		for to := range p.Classes {
			a, z, ok := ends(&p.Classes[from], &p.Classes[to])
			if ok {
				p.Links[from][to] = b.link(a, z, model.ActivationBytes(b.prefill), model.ActivationBytes(b.steady), b.costs.Stage(z))
			}
		}
		if a := p.Classes[from].Members[0]; a != p.Source {
			p.Return[from] = b.link(a, p.Source, token, token, 0)
		}
	}
}

// ends returns two different devices of two classes, if there are.
func ends(from, to *Class) (a, z int, ok bool) {
	if from != to {
		return from.Members[0], to.Members[0], true
	}
	if len(from.Members) < 2 {
		return 0, 0, false
	}
	return from.Members[0], from.Members[1], true
}

// link draws the link's time of a first message of one size and of the decode
// passes' of another, and the time that the stage it leads to takes beyond its
// units.
func (b *builder) link(from, to int, first, later int64, stage time.Duration) Link {
	f, l := b.costs.Transfer(from, to, first), b.costs.Transfer(from, to, later)
	if most := longest / int64(len(b.decodes)+1); int64(f.Idle()) > most || int64(l.Idle()) > most {
		return absent
	}
	steady := l
	if len(b.decodes) == 0 {
		steady = f
	}
	return b.joulesOf(Link{
		Request:   int64(f.Idle()+stage) + int64(len(b.decodes))*int64(l.Idle()+stage),
		Step:      int64(steady.Idle() + stage),
		Occupancy: int64(steady.Occupancy),
		Traffic:   int64(f.Occupancy) + int64(len(b.decodes))*int64(l.Occupancy),
	}, from, to, first+int64(len(b.decodes))*later)
}
