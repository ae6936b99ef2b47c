package fidelity

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// A configuration is one plan of a job.
type configuration struct {
	name string
	job  *Job
	plan *edgeshard.Plan
}

// configurations plans every job. Plans of a job that come out alike count once.
func (s *Spec) configurations(ctx context.Context, refs map[string]edgeshard.ModelRef, profiles map[string]*edgeshard.Profile) ([]configuration, error) {
	var all []configuration
	for i := range s.Jobs {
		j := &s.Jobs[i]
		base, err := j.base(refs[j.Model], profiles[j.Model])
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", j.Name, err)
		}
		var seen [][]edgeshard.Stage
		for _, name := range j.Plans {
			p, err := j.place(ctx, name, *base)
			if err != nil {
				return nil, fmt.Errorf("job %s, plan %s: %w", j.Name, name, err)
			}
			if slices.ContainsFunc(seen, func(o []edgeshard.Stage) bool { return slices.Equal(o, p.Stages) }) {
				continue
			}
			seen = append(seen, p.Stages)
			all = append(all, configuration{name: j.Name + "/" + name, job: j, plan: p})
		}
	}
	return all, nil
}

// base returns the job's plan without stages.
func (j *Job) base(ref edgeshard.ModelRef, profile *edgeshard.Profile) (*edgeshard.Plan, error) {
	devices := make([]topologies.Device, len(j.Slowdowns))
	for i, f := range j.Slowdowns {
		devices[i] = topologies.Device{
			Name: fmt.Sprintf("d%d", i), Memory: 1 << 34, Usable: 1 << 34, Slowdown: f, Profile: profile.Name, Overhead: profile.Overhead,
		}
	}
	t, err := topologies.New(j.Name, devices, 0, func(int, int) topologies.Link {
		return topologies.Link{Bandwidth: j.Bandwidth, Latency: time.Duration(j.Latency), Jitter: time.Duration(j.Jitter), Trace: j.Trace}
	})
	if err != nil {
		return nil, err
	}
	if j.Shared > 0 {
		t.Segments = []topologies.Segment{{Name: "cell", Capacity: j.Shared, Devices: []string{"*"}}}
	}
	return &edgeshard.Plan{
		Model: ref, Topology: t, Workload: j.workload(), Profiles: map[string]*edgeshard.Profile{profile.Name: profile},
		Objective: edgeshard.Latency,
	}, nil
}

// place finds a plan's stages, and predicts it.
func (j *Job) place(ctx context.Context, name string, p edgeshard.Plan) (*edgeshard.Plan, error) {
	if name == "exact" {
		o := solver.Options{Objective: edgeshard.Latency, Constraints: solver.Constraints{OneVisit: true}, Deadline: 20 * time.Second}
		if j.Batch > j.MicroBatch {
			o.Objective = edgeshard.Throughput
		}
		for i := range p.Topology.Devices {
			o.Force = append(o.Force, p.Topology.Devices[i].Name)
		}
		q, _, err := solver.Plan(ctx, p, o)
		return q, err
	}
	p.Stages = cutOf(name, j, p.Model.Config.Units())
	for i := range p.Stages {
		p.Stages[i].Name = p.Topology.Devices[p.Stages[i].Device].Name
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	costs, err := p.Costs()
	if err != nil {
		return nil, err
	}
	p.Predict(costs)
	return &p, nil
}

// cutOf divides units among the job's devices, in their order, each at least one.
func cutOf(name string, j *Job, units int) []edgeshard.Stage {
	weight := map[string]func(f float64) float64{
		"even": func(float64) float64 { return 1 },
		"fast": func(f float64) float64 { return 1 / f },
		"slow": func(f float64) float64 { return f },
	}[name]
	if weight == nil {
		return nil
	}
	total := 0.0
	for _, f := range j.Slowdowns {
		total += weight(f)
	}
	var stages []edgeshard.Stage
	sum, from := 0.0, 0
	for d, f := range j.Slowdowns {
		sum += weight(f)
		left := len(j.Slowdowns) - d - 1
		to := min(max(int(math.Round(sum/total*float64(units))), from+1), units-left)
		stages = append(stages, edgeshard.Stage{Device: d, From: from, To: to})
		from = to
	}
	return stages
}

// weights returns the models' references, making the weights that lack in a folder.
func (s *Spec) weights(ctx context.Context, dir string) (map[string]edgeshard.ModelRef, error) {
	refs := make(map[string]edgeshard.ModelRef)
	for i := range s.Models {
		m := &s.Models[i]
		ref, err := m.weights(ctx, s.dir, dir)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.Name, err)
		}
		refs[m.Name] = ref
	}
	return refs, nil
}

func (m *Model) weights(ctx context.Context, shapes, dir string) (ref edgeshard.ModelRef, err error) {
	shape := m.Shape
	if filepath.Ext(shape) == ".toml" {
		shape = filepath.Join(shapes, shape)
	}
	if edgeshard.HasWeights(shape) {
		return edgeshard.LoadModel(shape)
	}
	file := filepath.Join(dir, m.Name+".gguf")
	if _, err := os.Stat(file); err == nil {
		return edgeshard.LoadModel(file)
	}
	config, err := models.ConfigOf(shape)
	if err != nil {
		return ref, err
	}
	precision, err := models.ParsePrecision(m.Precision)
	if err != nil {
		return ref, err
	}
	out, err := os.Create(file + ".part")
	if err != nil {
		return ref, err
	}
	err = models.WriteSynth(ctx, out, config, precision, 0, 1)
	if closing := out.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file+".part", file)
	}
	if err != nil {
		_ = os.Remove(file + ".part")
		return ref, err
	}
	return edgeshard.LoadModel(file)
}
