package fidelity

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/sim"
)

// A Bench is what an experiment needs of the machine it runs on.
type Bench struct {
	// Visit measures the profile of a model, of which ref are the weights, in addition
	// to what earlier visits have brought; nil: there were none.
	Visit func(ctx context.Context, m *Model, ref string, base *edgeshard.Profile) (*edgeshard.Profile, error)
	// Run runs a plan for real, on workers that imitate its devices and links.
	Run func(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error
	// Bandwidth reads memory for a moment and returns bytes a second: how fast the
	// machine is just now.
	Bandwidth func() (float64, error)
	// Progress, if not nil, is told what goes on.
	Progress func(format string, args ...any)
}

// An Experiment is a specification with a folder for its results.
type Experiment struct {
	Spec    *Spec
	Bench   *Bench
	Dir     string // profiles, runs.jsonl, and what Report writes
	Weights string // folder for weights that are made up

	configurations []configuration
}

// A run is one measurement of a configuration.
type run struct {
	Configuration string             `json:"configuration"`
	Repeat        int                `json:"repeat"`
	At            string             `json:"at"`
	Measured      map[string]float64 `json:"measured"`
	Memory        map[string]int64   `json:"memory_bytes"`
	// Bandwidth is what the machine's memory gave just before.
	Bandwidth float64 `json:"bandwidth_bytes_per_s"`
	// Computing is the most devices that computed at once, Most the largest share of
	// the cores that their computations came to, by the devices' slowdowns.
	Computing int         `json:"computing"`
	Most      float64     `json:"most_cores"`
	Stages    []stageTime `json:"stages"`
	// Queue and Path are where requests and passes spent their time.
	Queue edgeshard.Distribution `json:"queue_ms"`
	Path  []edgeshard.PathReport `json:"path"`
	// Bands are those predicted for a run at this time, of what is compared; in a result only.
	Bands map[string]edgeshard.Band `json:"bands_90,omitempty"`
}

// Prepare reads the profiles and plans the configurations.
func (e *Experiment) Prepare(ctx context.Context) error {
	refs, err := e.Spec.weights(ctx, e.Weights)
	if err != nil {
		return err
	}
	profiles := make(map[string]*edgeshard.Profile)
	for i := range e.Spec.Models {
		name := e.Spec.Models[i].Name
		if profiles[name], err = edgeshard.LoadProfile(e.profileFile(name)); err != nil {
			return err
		}
	}
	e.configurations, err = e.Spec.configurations(ctx, refs, profiles)
	return err
}

// Measure runs the configurations that match, up to the specification's repeats
// of each, all of them once before any a second time. It leaves out what runs.jsonl
// has already, and begins no run after until. It reports whether all are there.
func (e *Experiment) Measure(ctx context.Context, match *regexp.Regexp, until time.Time) (done bool, err error) {
	have, err := e.runs()
	if err != nil {
		return false, err
	}
	times := make(map[string]int)
	for i := range have {
		times[have[i].Configuration]++
	}
	for repeat := range e.Spec.Repeats {
		for i := range e.configurations {
			c := &e.configurations[i]
			if times[c.name] > repeat || !match.MatchString(c.name) {
				continue
			}
			if time.Now().After(until) {
				return false, nil
			}
			e.Bench.Progress("%s, %d of %d", c.name, repeat+1, e.Spec.Repeats)
			if err := e.measure(ctx, c, repeat); err != nil {
				return false, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return true, nil
}

func (e *Experiment) measure(ctx context.Context, c *configuration, repeat int) error {
	bandwidth, err := e.Bench.Bandwidth()
	if err != nil {
		return err
	}
	rec, use := edgeshard.NewRecorder(c.plan), newUse(c.plan)
	if err := e.Bench.Run(ctx, c.plan, edgeshard.Tee(rec, use)); err != nil {
		return err
	}
	rep := rec.Report("exec")
	if rep.Requests != c.plan.Workload.Requests {
		return fmt.Errorf("%d of %d requests were answered", rep.Requests, c.plan.Workload.Requests)
	}
	r := run{
		Configuration: c.name, Repeat: repeat, At: time.Now().UTC().Format(time.RFC3339), Measured: rep.Headline(),
		Memory: make(map[string]int64), Bandwidth: bandwidth, Stages: use.stages(),
		Queue: rep.Queue, Path: rep.Path,
	}
	r.Computing, r.Most = use.most()
	for _, d := range rep.Devices {
		if r.Memory[d.Name] = d.Memory; d.Memory == 0 {
			return fmt.Errorf("device %s did not tell its memory", d.Name)
		}
	}
	return e.append(&r)
}

func (e *Experiment) runsFile() string { return filepath.Join(e.Dir, "runs.jsonl") }

func (e *Experiment) append(r *run) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(e.runsFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// runs reads what has been measured.
func (e *Experiment) runs() ([]run, error) {
	f, err := os.Open(e.runsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var all []run
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var r run
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", e.runsFile(), n, err)
		}
		all = append(all, r)
	}
	return all, lines.Err()
}

// predict simulates a configuration, and returns its report and the times of its
// stages.
func (c *configuration) predict(ctx context.Context) (*edgeshard.Report, []stageTime, error) {
	rec, use := edgeshard.NewRecorder(c.plan), newUse(c.plan)
	if err := new(sim.Runner).Run(ctx, c.plan, edgeshard.Tee(rec, use)); err != nil {
		return nil, nil, err
	}
	return rec.Report("sim"), use.stages(), nil
}

// band gives a run the bands that are predicted for its time.
func (c *configuration) band(ctx context.Context, r *run) error {
	at, err := time.Parse(time.RFC3339, r.At)
	if err != nil {
		return fmt.Errorf("run at %q: want a time such as 2026-11-27T17:00:00Z", r.At)
	}
	r.Bands, err = new(sim.Runner).Bands(ctx, c.plan, at, 1)
	maps.DeleteFunc(r.Bands, func(field string, _ edgeshard.Band) bool { return !compared(field) })
	return err
}
