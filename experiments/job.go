package experiments

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/BurntSushi/toml"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// A job is all that a point's run depends on.
type job struct {
	plan     edgeshard.Plan // yet without stages
	options  solver.Options
	backend  string
	scenario []byte // a scenario file's text, nil for none
	dir      string // of the files that the scenario names
}

// A resolver makes jobs of points. It is safe for concurrent use.
type resolver struct {
	spec *Spec
	dir  string // of the spec: its files are relative to it

	mu         sync.Mutex
	topologies map[string]topologyEntry // by the text of their inputs
	models     map[string]edgeshard.ModelRef
}

type topologyEntry struct {
	topology *topologies.Topology
	profiles map[string]*edgeshard.Profile
}

// mostTopologies bounds how many topologies are remembered.
const mostTopologies = 512

func newResolver(s *Spec) *resolver {
	return &resolver{
		spec: s, dir: filepath.Dir(s.File),
		topologies: make(map[string]topologyEntry), models: make(map[string]edgeshard.ModelRef),
	}
}

// job puts a point's settings together, those of the base first. Its error is
// the spec's fault: a setting that no point could have, or a file that is not there.
func (r *resolver) job(p *Point) (*job, error) {
	in, err := r.inputs(p)
	if err != nil {
		return nil, err
	}
	j := &job{options: in.options, backend: in.backend, dir: r.dir}
	j.plan.Workload = in.workload
	if !in.seeded {
		j.plan.Workload.Seed = p.Seed
	}
	if err := j.plan.Workload.ReadReplay(r.dir); err != nil {
		return nil, err
	}
	if j.plan.Model, err = r.model(in); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	t, err := r.topology(in, j.plan.Model.Config)
	if err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	j.plan.Topology, j.plan.Profiles = t.topology, t.profiles
	if in.scenario != "" {
		if j.scenario, j.dir, err = r.scenario(in.scenario, p.Seed); err != nil {
			return nil, fmt.Errorf("scenario: %w", err)
		}
		if _, err := j.loadScenario(); err != nil {
			return nil, fmt.Errorf("scenario: %w", err)
		}
	}
	return j, nil
}

func (r *resolver) inputs(p *Point) (*inputs, error) {
	in := &inputs{workload: edgeshard.DefaultWorkload(), backend: "sim"}
	if err := r.workloadFile(p, in); err != nil {
		return nil, fmt.Errorf("%s: %w", workloadKey, err)
	}
	set := map[string]bool{}
	for _, x := range p.Settings {
		set[x.Key] = true
		if err := in.set(x.Key, x.text()); err != nil {
			return nil, fmt.Errorf("%s: %w", x.Key, err)
		}
	}
	for _, k := range sortedKeys(r.spec.Base) {
		if set[k] {
			continue
		}
		if err := in.set(k, (Setting{Value: r.spec.Base[k]}).text()); err != nil {
			return nil, fmt.Errorf("base: %s: %w", k, err)
		}
	}
	if in.topology.ref == "" || in.model == "" {
		return nil, errors.New("want the settings topology and model, in base or as axes")
	}
	return in, nil
}

// workloadKey is the setting that names a workload file, which the settings of a
// workload's keys are laid over.
const workloadKey = "workload"

func (r *resolver) workloadFile(p *Point, in *inputs) error {
	file, _ := r.spec.Base[workloadKey].(string)
	for _, x := range p.Settings {
		if x.Key == workloadKey {
			file = x.text()
		}
	}
	if file == "" {
		return nil
	}
	data, err := tomlfile.ReadFile(r.path(file))
	if err != nil {
		return err
	}
	in.seeded = true // the file is a whole workload, its seed included
	return tomlfile.Decode(file, data, &in.workload)
}

// path returns a file of the spec, or a built-in's name as it is.
func (r *resolver) path(ref string) string {
	if _, ok := topologies.Builtin(ref); ok || filepath.IsAbs(ref) {
		return ref
	}
	return filepath.Join(r.dir, ref)
}

func (r *resolver) topology(in *inputs, m models.Config) (topologyEntry, error) {
	key := fmt.Sprintf("%+v for %d", in.topology, m.Units())
	r.mu.Lock()
	e, ok := r.topologies[key]
	r.mu.Unlock()
	if ok {
		return e, nil
	}
	var err error
	if e.topology, err = in.topology.build(r.path); err != nil {
		return e, err
	}
	if e.profiles, err = edgeshard.LoadProfiles(e.topology, m, filepath.Dir(r.path(in.topology.ref))); err != nil {
		return e, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.topologies) == mostTopologies {
		clear(r.topologies)
	}
	r.topologies[key] = e
	return e, nil
}

// model returns the shape, and the precision: the one set, else the
// checkpoint's own.
func (r *resolver) model(in *inputs) (edgeshard.ModelRef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, ok := r.models[in.model]
	if !ok {
		var err error
		if ref, err = r.loadModel(in.model); err != nil {
			return ref, err
		}
		r.models[in.model] = ref
	}
	if in.precision != "" {
		p, err := models.ParsePrecision(in.precision)
		if err != nil {
			return ref, err
		}
		ref.Precision = p
	}
	return ref, nil
}

// loadModel loads a model by its name, or its path from the spec's folder.
func (r *resolver) loadModel(name string) (edgeshard.ModelRef, error) {
	if _, builtin := models.Builtin(name); builtin || filepath.IsAbs(name) {
		return edgeshard.LoadModel(name)
	}
	file, err := filepath.Abs(filepath.Join(r.dir, name))
	if err != nil {
		return edgeshard.ModelRef{}, err
	}
	return edgeshard.LoadModel(file)
}

// scenario returns the text of a scenario of the spec, or of a file, with the
// point's seed unless it has its own; and the folder of its traces.
func (r *resolver) scenario(name string, seed uint64) ([]byte, string, error) {
	values, dir := map[string]any(r.spec.Scenarios[name]), r.dir
	if values == nil {
		file := filepath.Join(r.dir, name)
		if filepath.IsAbs(name) {
			file = name
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, "", fmt.Errorf("%q is no scenario of the file, nor a path: %w", name, err)
		}
		if err := toml.Unmarshal(data, &values); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
		dir = filepath.Dir(file)
	}
	seeded := map[string]any{"seed": int64(seed)}
	for k, v := range values {
		seeded[k] = v
	}
	var b bytes.Buffer
	err := toml.NewEncoder(&b).Encode(seeded)
	return b.Bytes(), dir, err
}

// loadScenario reads the job's scenario for its topology, nil if it has none.
func (j *job) loadScenario() (*scenarios.Scenario, error) {
	if j.scenario == nil {
		return nil, nil
	}
	return scenarios.ParseIn(j.dir, "scenario.toml", j.scenario, j.plan.Topology)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
