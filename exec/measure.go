package exec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

const (
	// measureGap is the latency between the workers that are measured where nothing
	// else is asked for.
	measureGap = 4 * time.Millisecond
	// smallSlowdown is theirs for a model whose blocks fit into caches: a slowed
	// worker computes after a longer sleep, and so from colder caches. Others,
	// whose weights come from memory anyway, have largeSlowdown.
	smallSlowdown, largeSlowdown = 10, 2
	// smallBlock is the size of a block up to which it counts as small.
	smallBlock = 2 << 20
	// measureRounds is how often everything is measured, time permitting.
	measureRounds = 6
	// wholeModel is the size of weights up to which a model is measured as it is;
	// of a larger one, synthetic blocks of synthBytes in all.
	wholeModel, synthBytes = 512 << 20, 192 << 20
)

// A Measurement says what a profile of this machine is to cover.
type Measurement struct {
	Model     string           // a checkpoint, or a shape to make weights for
	Precision models.Precision // of weights that are made
	Batches   []int            // sequences of a pass
	Prompts   []int            // tokens of a sequence in a prefill pass
	Tokens    int              // of each sequence: the prefill's, and then decode passes
	Synthetic bool             // weights even where the model has its own
	// Gap is the latency between the workers that are measured; 0: 4 ms. It leaves them
	// idle between passes, as in a pipeline on such links: caches cool, and a worker
	// that has slept longer computes slower and takes up messages later.
	Gap      time.Duration
	Budget   time.Duration // begin no further round beyond it; 0: one round
	Progress func(part float64)
	// Base is a profile of the same by earlier visits, which this one is added to; nil:
	// there is none.
	Base          *edgeshard.Profile
	Host, Version string // what the profile says of the machine's name, in place of its own, and the program
}

// Measure measures what a model costs on this machine: a Survey of as many rounds
// as the budget allows.
func (r *Runner) Measure(ctx context.Context, m Measurement) (*edgeshard.Profile, error) {
	s, err := r.Survey(ctx, m)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	begin := time.Now()
	for range measureRounds {
		started := time.Now()
		if err := s.Round(ctx, func(part float64) {
			if m.Progress != nil {
				part = (float64(s.rounds) + part) / measureRounds
				m.Progress(max(part, time.Since(begin).Seconds()/max(m.Budget.Seconds(), 1)))
			}
		}); err != nil {
			return nil, err
		}
		if time.Since(begin)+time.Since(started) > m.Budget {
			break
		}
	}
	return s.Profile()
}

// A Survey measures what a model costs on this machine, the way it will be run: on
// three local worker processes, the first with the embedding, the second with one
// block and the head, the third with other blocks, passes going through them one
// at a time. Of a model too large for that, a few blocks stand for all.
//
//   - Points are the times of embedding, block and head in every prefill and along
//     decode.
//   - Stage is what a pass costs a stage whatever its units, from the stages of one
//     block and of several.
//   - Hop and HopByte are what messages take beyond the links, Enter and Token what
//     the coordinator does.
//   - Overhead is the memory of a worker process beyond weights, KV caches and
//     workspace; 0 where workers have no processes of their own.
//
// Each round starts new processes, so that rounds differ as runs do.
type Survey struct {
	runner  *Runner
	m       Measurement
	subject *subject
	rounds  int
	last    *findings
	profile *edgeshard.Profile // of the rounds so far; nil: none
}

// Survey begins a survey; the measurement's budget and progress are not its concern.
func (r *Runner) Survey(ctx context.Context, m Measurement) (*Survey, error) {
	subject, err := m.prepare(ctx)
	if err != nil {
		return nil, err
	}
	m.Gap = cmp.Or(m.Gap, measureGap)
	s := &Survey{runner: r, m: m, subject: subject}
	if m.Base != nil {
		now := &edgeshard.Profile{}
		if err = s.sign(now); err == nil {
			err = m.Base.SameSource(now)
		}
		if err == nil && m.Base.Visits() == 0 {
			err = errors.New("it does not have the single rounds of what it sums up")
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("profile %s cannot be added to: %w", m.Base.Name, err)
		}
	}
	return s, nil
}

// Round measures everything once.
func (s *Survey) Round(ctx context.Context, progress func(part float64)) error {
	s.last = newFindings(s.subject, &s.m)
	s.last.ownProcess = s.runner.Local != nil
	for i, batch := range s.m.Batches {
		if err := s.runner.measureBatch(ctx, &s.m, s.subject, batch, s.rounds, s.last); err != nil {
			return fmt.Errorf("measuring: %w", err)
		}
		progress(float64(i+1) / float64(len(s.m.Batches)))
	}
	s.rounds++
	p := s.last.profile()
	if err := s.sign(p); err != nil {
		return err
	}
	if s.profile != nil {
		return s.profile.Add(p, true)
	}
	s.profile = p
	return nil
}

// Profile sums up the rounds so far: one visit to the machine, and those of the
// measurement's base, which becomes the sum.
func (s *Survey) Profile() (*edgeshard.Profile, error) {
	p := s.profile
	if p == nil {
		return nil, errors.New("nothing has been measured")
	}
	if s.m.Base != nil {
		if err := s.m.Base.Add(p, false); err != nil {
			return nil, fmt.Errorf("profile %s cannot be added to: %w", s.m.Base.Name, err)
		}
		p = s.m.Base
	}
	return p, p.Validate()
}

// Close removes what was made to measure with.
func (s *Survey) Close() { s.subject.remove() }

// sign tells where a profile is from.
func (s *Survey) sign(p *edgeshard.Profile) error {
	path, err := kernel.Default()
	if err != nil {
		return err
	}
	host, _ := os.Hostname() // "" where there is none
	p.Name, p.Model, p.Units = "measured", s.subject.whole.Name, s.subject.whole.Units()
	p.Origin = edgeshard.Origin{
		Host: cmp.Or(s.m.Host, host), CPU: cpuName(), Kernel: path.Name(), Threads: cmp.Or(s.runner.Threads, runtime.GOMAXPROCS(0)),
		Precision: s.subject.ref.Precision.String(), Date: p.Date, Version: s.m.Version,
	}
	p.Provenance, p.Gap = s.subject.note, s.m.Gap
	return nil
}

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

func (m *Measurement) check() error {
	if len(m.Batches) == 0 || len(m.Prompts) == 0 || m.Tokens < 2 || slices.Min(m.Batches) < 1 || slices.Min(m.Prompts) < 1 || m.Gap < 0 {
		return fmt.Errorf("measurement of batches %v, prompts %v, %d tokens: want batches and prompts of 1 or more, 2 tokens or more and a gap of 0 or more, found %s", m.Batches, m.Prompts, m.Tokens, m.Gap)
	}
	return nil
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

// plan makes stages of the embedding, one block, the other blocks and the head.
func (s *subject) plan(w edgeshard.Workload, gap time.Duration) (*edgeshard.Plan, error) {
	var devices [3]topologies.Device
	for i := range devices {
		devices[i] = topologies.Device{
			Name: fmt.Sprintf("probe-%d", i), Memory: math.MaxInt64 / 4, Usable: math.MaxInt64 / 4, FLOPS: 1, MemoryBandwidth: 1, Slowdown: s.slowdown,
		}
	}
	t, err := topologies.New("probe", devices[:], 0, func(int, int) topologies.Link {
		return topologies.Link{Bandwidth: 1e12, Latency: gap}
	})
	if err != nil {
		return nil, err
	}
	c := s.ref.Config
	p := &edgeshard.Plan{Model: s.ref, Topology: t, Workload: w}
	for _, st := range []edgeshard.Stage{
		{Device: 0, From: 0, To: 1}, {Device: 1, From: 1, To: 2}, {Device: 2, From: 2, To: c.Layers + 1},
		{Device: 1, From: c.Layers + 1, To: c.Units()},
	} {
		if st.From < st.To { // a model of one block has no others
			st.Name = devices[st.Device].Name
			p.Stages = append(p.Stages, st)
		}
	}
	return p, nil
}

// measureBatch runs every prompt length once, with batches of one size.
func (r *Runner) measureBatch(ctx context.Context, m *Measurement, s *subject, batch, round int, all *findings) error {
	w := edgeshard.Workload{
		Requests: batch * len(m.Prompts), PromptTokens: slices.Max(m.Prompts), Tokens: m.Tokens, Batch: batch, MicroBatch: batch,
		Schedule: edgeshard.Sequential, Return: edgeshard.ReturnToken, IgnoreEOS: true, Seed: uint64(round),
	}
	for i := range w.Requests {
		w.Replay = append(w.Replay, edgeshard.Request{ID: i, Prompt: m.Prompts[i/batch], Tokens: m.Tokens})
	}
	p, err := s.plan(w, m.Gap)
	if err != nil {
		return err
	}
	options := r.Options
	options.Emulate, options.Model = true, ""
	o := &probe{plan: p}
	if err := (&Runner{options}).Run(ctx, p, o); err != nil {
		return err
	}
	all.add(o)
	return nil
}
