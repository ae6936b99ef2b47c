package tui

import (
	"context"
	"time"

	"github.com/edgeshard/edgeshard"
)

// A Backend answers. Its functions are called from several goroutines, must
// return soon after ctx ends, and must not keep or change the question.
type Backend struct {
	// Plan solves with the question's solver. An error is shown as it is.
	Plan func(ctx context.Context, q *Question) (*edgeshard.Plan, error)
	// Solvers are the solvers' names, the best first; the others are baselines.
	Solvers []string
	// Model resolves a model's name or path; Models are the built-in names.
	Model  func(ref string) (edgeshard.ModelRef, error)
	Models []string
	// Open reads what a name or a path names: a topology, a plan, a scenario set, a
	// report or a sweep's results. A topology is asked about as now is.
	Open func(ref string, now *Question) (*Opened, error)
	// Topologies are the built-in names.
	Topologies []string
	// Command returns the command line that asks the same.
	Command func(q *Question) string

	// Sim runs plans in virtual time.
	Sim edgeshard.Runner
	// Bands tells within which bounds the figures of a plan are predicted to lie with
	// a probability of 90 %, by field as edgeshard.Compare names them; none where
	// its profiles tell no spread. Nil: bands are not shown.
	Bands func(ctx context.Context, p *edgeshard.Plan) (map[string]edgeshard.Band, error)
	// Real returns what runs them on workers, and tells progress how their start
	// goes. Nil: no such key.
	Real func(progress func(text string)) edgeshard.Runner

	// Faulty returns a simulation in which things go wrong. Nil: no such key.
	Faulty func(faults []Fault) edgeshard.Runner

	// Explain tells why a device, link or cut is as it is: again and again all the
	// lines found so far. Nil: no such key.
	Explain func(ctx context.Context, q *Question, s Subject, tell func(lines []string)) error
	// Sweeps returns the sweeps whose folders are at hand, the newest first. Nil: no
	// such screen.
	Sweeps func(ctx context.Context) ([]Sweep, error)
	// Sweep starts the sweep of an experiment's file in the background and returns
	// its folder; StopSweep stops one that was started so. Nil: no such keys.
	Sweep     func(file string) (folder string, err error)
	StopSweep func(folder string) error

	// Front returns the latency–throughput Pareto front: plans whose objective is
	// the time of a request by itself. Nil: no such screen.
	Front func(ctx context.Context, q *Question) ([]*edgeshard.Plan, error)
}

// An Opened is what a file held: a question, a report, a table or scenarios.
type Opened struct {
	Table    *Table
	Question *Question
	Report   *edgeshard.Report
	Entries  []Entry // of a scenario set
}

// A Subject is what Explain is asked about: a device, the link From→To, or the
// cut before Unit. What is not meant is −1.
type Subject struct{ Device, From, To, Unit int }

// An Entry is a question kept, with its answer when there is one.
type Entry struct {
	Name     string            `json:"name"`
	Question Question          `json:"question"`
	Plan     *edgeshard.Plan   `json:"-"`
	Report   *edgeshard.Report `json:"-"` // of its simulation

	tried bool // to answer it
}

// An Answer is what was found for a question.
type Answer struct {
	Question Question
	Plan     *edgeshard.Plan   // nil if Err is not
	Report   *edgeshard.Report // of its simulation; nil until it has ended
	SimErr   error             // why there is no Report
	Err      error             // why there is no Plan
	Parts    []Part            // of a decode pass
	Took     time.Duration     // to solve
}
