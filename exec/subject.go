package exec

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// A subject is the model that is measured.
type subject struct {
	ref      edgeshard.ModelRef
	whole    models.Config // the model it stands for
	slowdown float64
	note     string
	remove   func()
}

// prepare makes the weights to measure with, if the model's own are not to be used.
func (m *Measurement) prepare(ctx context.Context) (*subject, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	ref, err := edgeshard.LoadModel(m.Model)
	if err != nil {
		return nil, err
	}
	s := &subject{ref: ref, whole: ref.Config, remove: func() {}}
	own := edgeshard.HasWeights(ref.Ref) && !m.Synthetic
	if own {
		m.Precision = ref.Precision
	}
	if most := slices.Max(m.Prompts) + m.Tokens; most > ref.Config.Context {
		return nil, fmt.Errorf("%d positions exceed the context of %s, %d", most, ref.Config.Name, ref.Config.Context)
	}
	s.slowdown = largeSlowdown
	if ref.Config.WeightBytes(1, m.Precision) <= smallBlock {
		s.slowdown = smallSlowdown
	}
	if own && totalWeights(ref.Config, m.Precision) <= wholeModel {
		s.note = "the model's own weights"
		return s, nil
	}
	return s, s.synthesise(ctx, m.Precision)
}

func totalWeights(c models.Config, p models.Precision) (n int64) {
	for u := range c.Units() {
		n += c.WeightBytes(u, p)
	}
	return n
}

// synthesise writes a few blocks of made-up weights to a file of its own.
func (s *subject) synthesise(ctx context.Context, p models.Precision) error {
	blocks := 1 + int(min(max(2, (synthBytes-1)/s.whole.WeightBytes(1, p)), int64(s.whole.Layers-1)))
	file, err := os.CreateTemp("", "edgeshard-*.gguf")
	if err != nil {
		return err
	}
	s.remove = func() { _ = os.Remove(file.Name()) }
	err = errors.Join(models.WriteSynth(ctx, file, s.whole, p, blocks, 1), file.Close())
	if err == nil {
		s.ref, err = edgeshard.LoadModel(file.Name())
	}
	if err != nil {
		s.remove()
		return err
	}
	s.note = fmt.Sprintf("made-up weights, %d blocks for %d", blocks, s.whole.Layers)
	return nil
}

// stages are the embedding, one block, the other blocks and the head.
func (s *subject) stages() []edgeshard.Stage {
	c := s.ref.Config
	stages := []edgeshard.Stage{
		{Device: 0, From: 0, To: 1}, {Device: 1, From: 1, To: 2}, {Device: 2, From: 2, To: c.Layers + 1}, {Device: 1, From: c.Layers + 1, To: c.Units()},
	}
	if c.Layers == 1 { // there are no others
		stages = slices.Delete(stages, 2, 3)
	}
	return stages
}

// plan puts stages on workers.
func (s *subject) plan(w edgeshard.Workload, gap time.Duration, stages []edgeshard.Stage) (*edgeshard.Plan, error) {
	devices := make([]topologies.Device, min(len(stages), 3))
	for i := range devices {
		devices[i] = topologies.Device{
			Name: fmt.Sprintf("probe-%d", i), Memory: math.MaxInt64 / 4, Usable: math.MaxInt64 / 4, FLOPS: 1, MemoryBandwidth: 1, Slowdown: s.slowdown,
		}
	}
	t, err := topologies.New("probe", devices, 0, func(int, int) topologies.Link {
		return topologies.Link{Bandwidth: 1e12, Latency: gap}
	})
	if err != nil {
		return nil, err
	}
	p := &edgeshard.Plan{Model: s.ref, Topology: t, Workload: w, Stages: stages}
	for i := range stages {
		stages[i].Name = devices[stages[i].Device].Name
	}
	return p, nil
}
