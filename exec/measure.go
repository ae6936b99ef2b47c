package exec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
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
				m.Progress(m.share(s.rounds, part, time.Since(begin)))
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

// share is how much of a measurement is done, part of a round after some others.
func (m *Measurement) share(rounds int, part float64, took time.Duration) float64 {
	if m.Budget <= 0 {
		return part
	}
	return max((float64(rounds)+part)/measureRounds, took.Seconds()/max(m.Budget.Seconds(), 1))
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
	all := float64(len(s.m.Batches) + 1)
	for i, batch := range s.m.Batches {
		o, err := s.pass(ctx, batch, s.subject.stages())
		if err != nil {
			return err
		}
		s.last.add(o)
		progress(float64(i+1) / all)
	}
	o, err := s.pass(ctx, s.m.Batches[0], []edgeshard.Stage{{To: s.subject.ref.Config.Units()}})
	if err != nil {
		return err
	}
	s.last.addAlone(o)
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

func (m *Measurement) check() error {
	if len(m.Batches) == 0 || len(m.Prompts) == 0 || m.Tokens < 2 || slices.Min(m.Batches) < 1 || slices.Min(m.Prompts) < 1 || m.Gap < 0 {
		return fmt.Errorf("measurement of batches %v, prompts %v, %d tokens: want batches and prompts of 1 or more, 2 tokens or more and a gap of 0 or more, found %s", m.Batches, m.Prompts, m.Tokens, m.Gap)
	}
	return nil
}

// pass runs every prompt length once, with batches of one size.
func (s *Survey) pass(ctx context.Context, batch int, stages []edgeshard.Stage) (*probe, error) {
	m := &s.m
	w := edgeshard.Workload{
		Requests: batch * len(m.Prompts), PromptTokens: slices.Max(m.Prompts), Tokens: m.Tokens, Batch: batch, MicroBatch: batch,
		Schedule: edgeshard.Sequential, Return: edgeshard.ReturnToken, IgnoreEOS: true, Seed: uint64(s.rounds),
	}
	for i := range w.Requests {
		w.Replay = append(w.Replay, edgeshard.Request{ID: i, Prompt: m.Prompts[i/batch], Tokens: m.Tokens})
	}
	p, err := s.subject.plan(w, m.Gap, stages)
	if err != nil {
		return nil, err
	}
	options := s.runner.Options
	options.Emulate, options.Model = true, ""
	o := &probe{plan: p}
	if err := (&Runner{options}).Run(ctx, p, o); err != nil {
		return nil, fmt.Errorf("measuring: %w", err)
	}
	return o, nil
}
