package solver

import (
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/edgeshard/edgeshard"
)

// An Explanation says why a plan is as it is. Every figure in it comes from
// solving the problem once more with something changed.
type Explanation struct {
	Notes  []string `json:"notes,omitempty"`
	Unused []Unused `json:"unused,omitempty"`
	Prices []Price  `json:"shadow_prices,omitempty"`
	Flips  []Flip   `json:"flips,omitempty"`
}

// Unused is a set of like devices that run nothing.
type Unused struct {
	Devices  []string `json:"devices"`
	Possible bool     `json:"possible"` // a plan that uses one of them exists
	CostMS   float64  `json:"cost_ms"`  // what the objective grows by in the best one
	Reason   string   `json:"reason"`   // memory, speed or links: what costs most
	// SavedMS is by how much less it would cost were that reason gone: all the
	// memory of use, compute or messages in no time.
	SavedMS float64 `json:"saved_ms"`
}

// A Price is what a little more of something is worth.
type Price struct {
	What string `json:"what"` // "memory of X" or "link X to Y"
	Unit string `json:"unit"` // "GiB" or "Mbps"
	// MSPerToken is by how much one unit more lowers the time per token.
	MSPerToken float64 `json:"ms_per_token"`
}

// A Flip is a change at which another plan becomes the best. Factors multiply
// the bandwidth of a link or the speed of a device and its twins.
type Flip struct {
	What   string            `json:"what"`
	Factor float64           `json:"factor"`
	Stages []edgeshard.Stage `json:"stages"` // the best plan just beyond
}

// An explainer asks what would be were something otherwise.
type explainer struct {
	ctx    context.Context
	p      *Problem
	r      *Result
	spec   edgeshard.Spec
	w      edgeshard.Workload
	wanted func(what string) bool
	tell   func(part Explanation)
}

// Explain explains a proved result for the spec and workload it was drawn from.
func Explain(ctx context.Context, s edgeshard.Spec, w edgeshard.Workload, r *Result) (*Explanation, error) {
	e := &Explanation{}
	return e, ExplainSome(ctx, s, w, r, func(string) bool { return true }, e.Add)
}

// ExplainSome explains what is wanted of a proved result, and tells each part
// when it is known, the notes last. What can be wanted is "use of X" of a device
// that runs nothing, "memory of X", "speed of X" and "link X to Y".
func ExplainSome(ctx context.Context, s edgeshard.Spec, w edgeshard.Workload, r *Result, wanted func(what string) bool, tell func(part Explanation)) error {
	if !r.Proved {
		return errors.New("only a plan proved optimal can be explained: solve it with exact, without a deadline")
	}
	all := &Explanation{}
	x := &explainer{ctx: ctx, p: r.Problem, r: r, spec: s, w: w, wanted: wanted, tell: func(part Explanation) {
		all.Add(part)
		tell(part)
	}}
	x.unused()
	x.prices()
	x.flips()
	if ctx.Err() == nil {
		tell(Explanation{Notes: x.notes(all)})
	}
	return ctx.Err()
}

// Add adds a part to an explanation.
func (e *Explanation) Add(part Explanation) {
	e.Notes = append(e.Notes, part.Notes...)
	e.Unused = append(e.Unused, part.Unused...)
	e.Prices = append(e.Prices, part.Prices...)
	e.Flips = append(e.Flips, part.Flips...)
}

// solve returns the best objective of a changed problem, and the result.
func (x *explainer) solve(p *Problem) (*Result, bool) {
	r, err := Solve(x.ctx, p, Options{Hint: x.r})
	return r, err == nil
}

func (x *explainer) used() map[int]bool {
	used := make(map[int]bool)
	for _, s := range x.r.Stages {
		used[s.Device] = true
	}
	return used
}

// unused asks, for one of each set of twins without a stage, what using it costs.
func (x *explainer) unused() {
	used := x.used()
	for _, c := range x.p.Classes {
		idle := slices.DeleteFunc(slices.Clone(c.Members), func(d int) bool { return used[d] })
		wanted := func(d int) bool { return x.wanted("use of " + x.p.Devices[d].Name) }
		if !slices.ContainsFunc(idle, wanted) || x.ctx.Err() != nil {
			continue
		}
		u := x.cost(idle[0])
		for _, d := range idle {
			u.Devices = append(u.Devices, x.p.Devices[d].Name)
		}
		if x.ctx.Err() == nil {
			x.tell(Explanation{Unused: []Unused{u}})
		}
	}
}

// cost asks what using a device costs, and what of it costs most.
func (x *explainer) cost(device int) Unused {
	force := func(p *Problem) *Problem {
		q := p.Apart([]int{device})
		q.Forced = append(slices.Clone(q.Forced), device)
		return q
	}
	u := Unused{Reason: "memory"}
	cost := x.r.Objective() + never/2
	if r, ok := x.solve(force(x.p)); ok {
		u.Possible, cost = true, r.Objective()
		u.CostMS = x.r.milliseconds(cost - x.r.Objective())
	}
	alone := x.p.Apart([]int{device})
	best := int64(-1)
	for _, why := range []struct {
		name string
		p    *Problem
	}{
		{"memory", x.p.withBudget(device, sum(x.p.Weight))}, {"speed", alone.withSpeed(device, 0, 1)}, {"links", x.p.withFreeLinks(device)},
	} {
		if r, ok := x.solve(force(why.p)); ok && cost-r.Objective() > best {
			best, u.Reason = cost-r.Objective(), why.name
		}
	}
	if u.Possible {
		u.SavedMS = x.r.milliseconds(max(best, 0))
	}
	return u
}

// perToken states a difference of objectives in ms per generated token.
func (x *explainer) perToken(ns int64) float64 {
	if x.p.Objective == edgeshard.Throughput {
		return float64(ns) / 1e6 / float64(min(x.w.Batch, x.w.Requests))
	}
	return float64(ns) / 1e6 / float64(x.w.Tokens)
}

// prices asks what one GiB more is worth on each device used, and one Mbps more
// on each link used.
func (x *explainer) prices() {
	ask := func(what, unit string, p *Problem) {
		if r, ok := x.solve(p); ok && x.ctx.Err() == nil {
			x.tell(Explanation{Prices: []Price{{What: what, Unit: unit, MSPerToken: x.perToken(x.r.Objective() - r.Objective())}}})
		}
	}
	for d := range x.p.Devices {
		if x.used()[d] && x.wanted("memory of "+x.p.Devices[d].Name) {
			ask("memory of "+x.p.Devices[d].Name, "GiB", x.p.withBudget(d, x.p.Class(d).Budget+1<<30))
		}
	}
	for _, l := range x.links() {
		if bps := int64(x.spec.Topology.Link(l[0], l[1]).Bandwidth); bps > 0 && x.wanted(x.linkName(l)) {
			ask(x.linkName(l), "Mbps", x.p.Apart(l[:]).withLink(l[0], l[1], bps+1e6, bps))
		}
	}
}

// links returns the links that the plan uses, each once.
func (x *explainer) links() [][2]int {
	var all [][2]int
	at := x.p.Source
	for _, s := range append(slices.Clone(x.r.Stages), edgeshard.Stage{Device: x.p.Source}) {
		if l := [2]int{at, s.Device}; at != s.Device && !slices.Contains(all, l) {
			all = append(all, l)
		}
		at = s.Device
	}
	return all
}

func (x *explainer) linkName(l [2]int) string {
	return "link " + x.p.Devices[l[0]].Name + " to " + x.p.Devices[l[1]].Name
}

// farthest is the largest change of a link or a device that flips looks at.
const farthest = 16

// flips asks by how much each link used, and each class of devices used, must
// become slower or faster before another plan is better.
func (x *explainer) flips() {
	ask := func(what string, change func(num, den int64) *Problem) {
		for _, up := range []bool{false, true} {
			if f, ok := x.flip(what, up, change); ok && x.ctx.Err() == nil {
				x.tell(Explanation{Flips: []Flip{f}})
			}
		}
	}
	for _, l := range x.links() {
		if !x.wanted(x.linkName(l)) {
			continue
		}
		ask(x.linkName(l), func(num, den int64) *Problem { return x.p.withLink(l[0], l[1], num, den) })
	}
	seen := make(map[int]bool)
	for d := range x.p.Devices {
		if k := x.p.Devices[d].Class; x.used()[d] && !seen[k] && x.wanted("speed of "+x.p.Devices[d].Name) {
			seen[k] = true
			ask("speed of "+x.p.Devices[d].Name, func(num, den int64) *Problem { return x.p.withSpeed(d, den, num) })
		}
	}
}

// flip finds the factor nearest to 1 at which the plan is not the best any more.
// A plan's time is linear in the time of a link or device, so a plan is the best
// on one interval: from a factor where another one beats it, go to the nearest at
// which that one does, and ask again just before, until none does there.
func (x *explainer) flip(what string, up bool, change func(num, den int64) *Problem) (Flip, bool) {
	const parts = 1 << 12
	at := func(i int64) *Problem { // i in 0..parts: factor 1 to farthest, or to 1/farthest
		if up {
			return change(parts+i*(farthest-1), parts)
		}
		return change(parts, parts+i*(farthest-1))
	}
	var beyond *Result
	high := int64(parts + 1)
	for high > 0 && x.ctx.Err() == nil {
		p := at(high - 1)
		r, ok := x.solve(p)
		if !ok || r.Objective() >= p.Of(p.Value(x.r.Stages)) {
			break
		}
		beyond, high = r, int64(sort.Search(int(high)-1, func(i int) bool { return x.beaten(at(int64(i)), r.Stages) }))
	}
	if beyond == nil {
		return Flip{}, false
	}
	factor := float64(parts+high*(farthest-1)) / parts
	if !up {
		factor = 1 / factor
	}
	return Flip{What: what, Factor: factor, Stages: beyond.Stages}, true
}

// beaten tells whether stages are a better plan of a problem than the explained one.
func (x *explainer) beaten(p *Problem, stages []edgeshard.Stage) bool {
	return p.Check(stages) == nil && p.Of(p.Value(stages)) < p.Of(p.Value(x.r.Stages))
}
