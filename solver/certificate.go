package solver

import (
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
)

// A Certificate lets a bound be checked without the search that found it: from
// the plan's own problem, the constraints it was solved under, and for each graph
// of the problem the relaxation that has no path below the bound. All numbers
// are integers.
type Certificate struct {
	Objective   edgeshard.Objective `json:"objective"`
	Constraints Constraints         `json:"constraints"`
	Stages      []edgeshard.Stage   `json:"stages"`
	Value       int64               `json:"value_ns"` // of the stages
	Bound       int64               `json:"bound_ns"` // no plan's objective is below it
	Apart       []int               `json:"apart,omitempty"`
	Proofs      []Proof             `json:"proofs"`
}

// A Proof is a relaxation without a path below Bound, for the plans in which no
// device or link is busy for more than Tau in a decode pass.
type Proof struct {
	Tau   int64 `json:"tau_ns"`
	Tail  int   `json:"tail,omitempty"` // where the source's last stage starts, where it has one of its own
	Bound int64 `json:"bound_ns"`
	Plain bool  `json:"plain,omitempty"` // paths are compared by cost and price, not by price alone
	// Covering: the relaxation asks only whether all units can be run at all, and
	// charges nothing but prices: more than these give back.
	Covering bool  `json:"covering,omitempty"`
	Prices   []int `json:"prices_ns"` // [class] multiplier
	// Memory lists for each class the classes whose use a path remembers there.
	Memory [][]int `json:"memory,omitempty"`
}

// evidence is what a search's bound rests on.
type evidence struct {
	m      multipliers
	memory memory
	plain  bool
}

// keep notes what the bound just reached rests on.
func (s *search) keep(m multipliers, plain bool) {
	s.proof = evidence{m: slices.Clone(m), plain: plain, memory: s.memory.clone()}
}

// certify states the search's bound and what it rests on.
func (s *search) certify(v variant) Proof {
	return s.proof.state(Proof{Tau: v.tau, Tail: v.tail, Bound: s.bound})
}

// state adds the evidence to a proof.
func (e *evidence) state(p Proof) Proof {
	p.Plain = e.plain
	for _, x := range e.m {
		p.Prices = append(p.Prices, int(x))
	}
	for _, row := range e.memory {
		list := []int{}
		for k, is := range row {
			if is {
				list = append(list, k)
			}
		}
		p.Memory = append(p.Memory, list)
	}
	return p
}

// Certificate returns the result's certificate for constraints it was solved under.
// A bound on the round is stated as such, a throughput asked for included.
func (r *Result) Certificate(c Constraints) *Certificate {
	if r.Problem.Objective != edgeshard.Energy && r.Problem.MaxLoop < never {
		c.MaxRound = time.Duration(r.Problem.MaxLoop)
	}
	return &Certificate{
		Objective: r.Problem.Objective, Constraints: c, Stages: r.Stages,
		Value: r.Objective(), Bound: r.Bound, Apart: r.apart, Proofs: r.proofs,
	}
}
