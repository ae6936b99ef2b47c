package edgeshard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// A Stage is a device and the half-open range of units [From, To) it runs.
type Stage struct {
	Name   string `json:"device"`
	Device int    `json:"-"` // index into the topology's devices; from Name when a plan is read
	From   int    `json:"from"`
	To     int    `json:"to"`
}

// StagesOf joins neighbouring units on one device to stages, given the device of
// each unit and the names of devices.
func StagesOf(devices []int, name func(device int) string) []Stage {
	var stages []Stage
	for u, d := range devices {
		if n := len(stages); n > 0 && stages[n-1].Device == d {
			stages[n-1].To = u + 1
			continue
		}
		stages = append(stages, Stage{Name: name(d), Device: d, From: u, To: u + 1})
	}
	return stages
}

// An Objective is what a solver minimises, or maximises.
type Objective string

const (
	Latency    Objective = "latency"    // expected time of a request
	Throughput Objective = "throughput" // the pipeline's period per micro-batch
	Energy     Objective = "energy"     // what a request's compute and messages use above idle power
)

// A Plan says which device runs which units. It is self-contained: what it was
// made for is inside. Stages cover all units of the model once, in order; the
// first is at the topology's source. A device with several stages is revisited.
type Plan struct {
	Model     ModelRef             `json:"model"`
	Topology  *topologies.Topology `json:"topology"`
	Profiles  map[string]*Profile  `json:"profiles,omitempty"`
	Workload  Workload             `json:"workload"`
	Objective Objective            `json:"objective"`
	Stages    []Stage              `json:"stages"`

	ObjectiveMS float64    `json:"objective_ms"` // what the solver minimised; a request's time where that is energy
	ObjectiveMJ float64    `json:"objective_mj,omitempty"`
	Predicted   Prediction `json:"predicted"`
	Solver      Solution   `json:"solver"`
}

// A ModelRef names a model and carries its shape.
type ModelRef struct {
	Ref       string           `json:"ref"` // a built-in name or a path
	Precision models.Precision `json:"precision"`
	Config    models.Config    `json:"config"`
}

// A Prediction is what a plan is expected to do on idle devices and links.
type Prediction struct {
	TTFTMS     float64          `json:"ttft_ms"`
	TPOTMS     float64          `json:"tpot_ms"`
	Throughput float64          `json:"throughput_tokens_per_s"`
	MakespanS  float64          `json:"makespan_s"`
	Memory     map[string]int64 `json:"memory_bytes"` // by device
	// Warnings say what the prediction rests on that was not measured so.
	Warnings []string `json:"warnings,omitempty"`
}

// A Solution is how a solver came to a plan.
type Solution struct {
	Name       string  `json:"name"`
	Proved     bool    `json:"proved"`         // no better plan exists
	LowerBound float64 `json:"lower_bound_ms"` // of the objective; with energy 0
	// LowerBoundMJ is that of objective_mj, with energy.
	LowerBoundMJ float64 `json:"lower_bound_mj,omitempty"`
	Gap          float64 `json:"gap"` // (objective − bound) / objective
	ElapsedMS    float64 `json:"elapsed_ms"`
	Note         string  `json:"note,omitempty"` // what a reader should know, such as why nothing is proved
}

// Bounded tells whether a bound on the objective is known.
func (s *Solution) Bounded() bool { return s.LowerBound > 0 || s.LowerBoundMJ > 0 }

// Spec returns what the plan's costs are drawn from.
func (p *Plan) Spec() Spec {
	return Spec{Model: p.Model.Config, Precision: p.Model.Precision, Topology: p.Topology, Profiles: p.Profiles}
}

// Costs returns the plan's costs.
func (p *Plan) Costs() (Costs, error) { return NewCosts(p.Spec()) }

// Footprint returns the memory the plan's workload needs.
func (p *Plan) Footprint() Footprint {
	return p.Spec().Footprint(&p.Workload)
}

// Overhead returns the fixed runtime memory of a device: its profile's, else its own.
func (s Spec) Overhead(device int) int64 {
	d := &s.Topology.Devices[device]
	if p := s.Profiles[d.Profile]; p != nil && p.Overhead > 0 {
		return int64(p.Overhead)
	}
	return int64(d.Overhead)
}

// Validate reports why the plan cannot be run.
func (p *Plan) Validate() error {
	if p.Topology == nil {
		return errors.New("plan: no topology")
	}
	if err := p.Model.Config.Validate(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if err := p.Workload.Validate(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if need := p.Workload.Positions(); need > p.Model.Config.Context {
		return fmt.Errorf("plan: %d prompt tokens and %d generated ones exceed the context of %s, %d positions",
			p.Workload.PromptTokens, p.Workload.Tokens, p.Model.Config.Name, p.Model.Config.Context)
	}
	return ValidateStages(p.Stages, p.Model.Config.Units(), p.Topology)
}

// ValidateStages reports the first gap, overlap or unknown device in stages.
func ValidateStages(stages []Stage, units int, t *topologies.Topology) error {
	next := 0
	for i, s := range stages {
		switch {
		case s.Device < 0 || s.Device >= len(t.Devices):
			return fmt.Errorf("plan: stages[%d]: unknown device %q: topology %s has none of that name", i, s.Name, t.Name)
		case s.From > next:
			return fmt.Errorf("plan: stages[%d] on %s starts at unit %d: units [%d, %d) are in no stage", i, s.Name, s.From, next, s.From)
		case s.From < next:
			return fmt.Errorf("plan: stages[%d] on %s starts at unit %d: units before %d are in an earlier stage", i, s.Name, s.From, next)
		case s.To <= s.From:
			return fmt.Errorf("plan: stages[%d] on %s: units [%d, %d) are none", i, s.Name, s.From, s.To)
		}
		next = s.To
	}
	if next != units {
		return fmt.Errorf("plan: stages cover units [0, %d): want all %d units of the model", next, units)
	}
	if d := stages[0].Device; d != t.Source {
		return fmt.Errorf("plan: stages[0] is on %s: unit 0 must be at the source, %s", t.Devices[d].Name, t.Devices[t.Source].Name)
	}
	return nil
}

// ParsePlan reads a plan file. Errors name the file, and the line or key.
func ParsePlan(file string, data []byte) (*Plan, error) {
	var p Plan
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, lineAt(data, err, dec.InputOffset()), err)
	}
	if p.Topology == nil {
		return nil, fmt.Errorf("%s: topology is missing", file)
	}
	p.nameDevices()
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &p, nil
}

// nameDevices finds each stage's device by its name, -1 where there is none.
func (p *Plan) nameDevices() {
	for i := range p.Stages {
		p.Stages[i].Device, _ = p.Topology.Index(p.Stages[i].Name)
	}
}

func lineAt(data []byte, err error, offset int64) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
}

// Milliseconds returns d in ms, as the files write it.
func Milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }
