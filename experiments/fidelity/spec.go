package fidelity

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// A Spec says what is predicted and measured.
type Spec struct {
	Repeats int `toml:"repeats"`
	// Visits is how many times the machine is visited to measure every model's profile,
	// Apart the least time between two of them: a profile so knows how the machine
	// drifts for as long as they last.
	Visits int                 `toml:"visits"`
	Apart  topologies.Duration `toml:"apart"`
	Models []Model             `toml:"model"`
	Jobs   []Job               `toml:"job"`

	dir string
}

// A Model is what jobs run, and what its profile covers.
type Model struct {
	Name      string `toml:"name"`
	Shape     string `toml:"shape"`     // a built-in name or a file beside the specification; weights are made up unless it has some
	Precision string `toml:"precision"` // of weights that are made up
	Batches   []int  `toml:"batches"`
	Prompts   []int  `toml:"prompts"`
	Tokens    int    `toml:"tokens"`
	// Gap is the latency between the workers that the profile is measured on; 0: 4 ms.
	Gap topologies.Duration `toml:"gap"`
}

// A Job is a model on a cluster with a workload; each of its Plans is a
// configuration.
type Job struct {
	Name      string              `toml:"name"`
	Model     string              `toml:"model"`
	Slowdowns []float64           `toml:"slowdowns"` // of the devices; the first is the source
	Bandwidth topologies.BitRate  `toml:"bandwidth"` // of every link
	Latency   topologies.Duration `toml:"latency"`
	Jitter    topologies.Duration `toml:"jitter"` // standard deviation of the latency
	Trace     string              `toml:"trace"`  // bandwidth and latency over time: one of scenarios.TraceNames
	Shared    topologies.BitRate  `toml:"shared"` // capacity of a segment that all links are on; none if not given

	Schedule   edgeshard.Schedule  `toml:"schedule"`
	Batch      int                 `toml:"batch"`
	MicroBatch int                 `toml:"micro_batch"`
	Prompt     int                 `toml:"prompt"`
	Tokens     int                 `toml:"tokens"`
	Requests   int                 `toml:"requests"`
	Rate       float64             `toml:"rate_per_s"` // of Poisson arrivals; 0: all at the start
	Admission  edgeshard.Admission `toml:"admission"`

	Plans []string `toml:"plans"` // exact, even, fast or slow
}

// Cuts are the ways to place a model: the solver's, with every device; equal
// numbers of blocks; in proportion to the devices' speed; in proportion to their
// slowdown, which no one would want.
var cuts = []string{"exact", "even", "fast", "slow"}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// ReadSpec reads a specification; shapes are looked for beside it.
func ReadSpec(file string) (*Spec, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &Spec{Repeats: 5, Visits: 1, dir: filepath.Dir(file)}
	if err := tomlfile.Decode(file, data, s); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func (s *Spec) check() error {
	if s.Repeats < 1 || len(s.Jobs) == 0 {
		return fmt.Errorf("%d repeats of %d jobs: want at least one of each", s.Repeats, len(s.Jobs))
	}
	if s.Visits < 1 || s.Apart < 0 {
		return fmt.Errorf("%d visits, %s apart: want at least one", s.Visits, time.Duration(s.Apart))
	}
	for i := range s.Models {
		m := &s.Models[i]
		if m.Gap < 0 {
			return fmt.Errorf("model %s: gap is %s: want 0 or more", m.Name, time.Duration(m.Gap))
		}
		if _, err := models.ParsePrecision(m.Precision); err != nil || !plainName.MatchString(m.Name) {
			return fmt.Errorf("model %q: want a name of small letters, digits, dots and dashes, and a known precision, found %q", m.Name, m.Precision)
		}
	}
	seen := make(map[string]bool)
	for i := range s.Jobs {
		j := &s.Jobs[i]
		if seen[j.Name] || !plainName.MatchString(j.Name) {
			return fmt.Errorf("job %q: want a name of its own, of small letters, digits, dots and dashes", j.Name)
		}
		seen[j.Name] = true
		if err := j.check(s); err != nil {
			return fmt.Errorf("job %s: %w", j.Name, err)
		}
	}
	return nil
}

func (j *Job) check(s *Spec) error {
	if s.model(j.Model) == nil {
		return fmt.Errorf("model is %q: there is none of that name", j.Model)
	}
	if len(j.Slowdowns) == 0 || j.Bandwidth <= 0 || len(j.Plans) == 0 {
		return fmt.Errorf("want slowdowns, bandwidth and plans")
	}
	for _, f := range j.Slowdowns {
		if !(f >= 1) {
			return fmt.Errorf("slowdown is %g: want 1 or more", f)
		}
	}
	for _, name := range j.Plans {
		if cutOf(name, j, 8) == nil && name != "exact" {
			return fmt.Errorf("plan is %q: want one of %v", name, cuts)
		}
	}
	w := j.workload()
	return w.Validate()
}

func (s *Spec) model(name string) *Model {
	for i := range s.Models {
		if s.Models[i].Name == name {
			return &s.Models[i]
		}
	}
	return nil
}

func (j *Job) workload() edgeshard.Workload {
	w := edgeshard.DefaultWorkload()
	w.Requests, w.PromptTokens, w.Tokens = j.Requests, j.Prompt, j.Tokens
	w.Batch, w.MicroBatch, w.Schedule = j.Batch, j.MicroBatch, j.Schedule
	w.Rate, w.Admission, w.IgnoreEOS, w.Seed = j.Rate, j.Admission, true, 1
	return w
}
