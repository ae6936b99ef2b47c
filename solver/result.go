package solver

import (
	"time"

	"github.com/edgeshard/edgeshard"
)

// A Result is what a solver found and what is known of it.
type Result struct {
	Problem *Problem
	Stages  []edgeshard.Stage
	Value   Value
	Bound   int64 // no plan's objective, in ns, is below it
	Proved  bool  // no plan has a lower objective
	Elapsed time.Duration
	Stats   Stats
	Note    string // what a reader should know

	tokens int     // of a round, where the batch was chosen
	apart  []int   // devices told from their twins in the proofs
	proofs []Proof // of the bound
}

// Stats tell what solving cost.
type Stats struct {
	Bounds int // evaluations of the relaxation without memory
	Passes int // label-setting passes
	Labels int // labels they made
}

// Objective returns what the problem minimises, in ns.
func (r *Result) Objective() int64 { return r.Problem.Of(r.Value) }

// Gap returns (objective − bound) / objective.
func (r *Result) Gap() float64 {
	if r.Proved || r.Objective() == 0 {
		return 0
	}
	return float64(r.Objective()-r.Bound) / float64(r.Objective())
}
