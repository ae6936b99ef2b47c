package solver

import (
	"time"

	"github.com/edgeshard/edgeshard"
)

// Options say what is asked of a solver. The zero value asks for a latency plan,
// proved optimal, in which devices may be revisited and the source keeps unit 0.
type Options struct {
	Solver    string              // one of Names; "" is "exact"
	Objective edgeshard.Objective // "" is Latency

	Constraints
	MinThroughput float64 // bound on steady-state tokens/s; 0: none. It forbids revisits.

	// MaxBatch, above 0, lets a throughput plan choose its batch of at most that
	// many sequences and the micro-batch; else the workload's are kept.
	MaxBatch int

	Deadline time.Duration // stop with the best plan so far and its gap; 0: none
	Hint     *Result       // of a similar problem: makes solving faster, never changes the answer
}

// Constraints are what a plan must keep to beside memory.
type Constraints struct {
	OneVisit bool           `json:"one_visit,omitempty"`     // forbid revisits; throughput plans never have any
	Private  int            `json:"private_units,omitempty"` // leading units only the source may run; 0 counts as 1
	Tail     int            `json:"tail_units,omitempty"`    // trailing units pinned to the source
	Pins     map[int]string `json:"pins,omitempty"`          // device that must run a unit
	Exclude  []string       `json:"exclude,omitempty"`       // devices that must run none
	Force    []string       `json:"force,omitempty"`         // devices that must run some

	MaxLatency time.Duration `json:"max_latency_ns,omitempty"` // bound on a request's time; 0: none
	// MaxRound bounds max(S, K·M), the time in which each micro-batch in flight
	// gets a token; 0: none. It forbids revisits, as throughput does.
	MaxRound time.Duration `json:"max_round_ns,omitempty"`
}

func (o *Options) objective() edgeshard.Objective {
	if o.Objective == "" {
		return edgeshard.Latency
	}
	return o.Objective
}
