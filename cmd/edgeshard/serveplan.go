package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/serve"
)

// servingFlags are the sizes of what is served; those given replace a plan's.
type servingFlags struct {
	batch, micro, prompt, tokens int
	cmd                          *cobra.Command
}

// defaultSequences run together where nothing else is said.
const defaultSequences = 4

func (w *servingFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&w.batch, "batch", 0, fmt.Sprintf("sequences that run together; default: the plan's, %d for a new one", defaultSequences))
	f.IntVar(&w.micro, "micro-batch", 0, "sequences of one pass through the pipeline; default: the plan's, 1 for a new one")
	f.IntVar(&w.prompt, "prompt-tokens", 0, "tokens of a prompt, at most; default: the plan's, half the model's context for a new one")
	f.IntVar(&w.tokens, "tokens", 0, "tokens generated after the longest prompt; a shorter one leaves room for more; default: the plan's, the rest of the context for a new one")
	w.cmd = cmd
}

// apply lays the flags over a workload and makes it one that never ends: its
// requests come from outside.
func (w *servingFlags) apply(o *edgeshard.Workload, m *edgeshard.ModelRef) error {
	for name, set := range map[string]struct{ to, from *int }{
		"batch": {&o.Batch, &w.batch}, "micro-batch": {&o.MicroBatch, &w.micro},
		"prompt-tokens": {&o.PromptTokens, &w.prompt}, "tokens": {&o.Tokens, &w.tokens},
	} {
		if w.cmd.Flags().Changed(name) {
			*set.to = *set.from
		}
	}
	*o = edgeshard.Workload{
		Requests: o.Batch, PromptTokens: o.PromptTokens, Tokens: o.Tokens, Batch: o.Batch, MicroBatch: o.MicroBatch,
		Schedule: edgeshard.NoBubbles, Return: o.Return, Admission: edgeshard.ContinuousAdmission,
	}
	if err := o.Validate(); err != nil {
		return err
	}
	if need := o.Positions(); need > m.Config.Context {
		return usagef("%d prompt tokens and %d to generate exceed the context of %s, %d positions: lower --prompt-tokens or --tokens",
			o.PromptTokens, o.Tokens, m.Config.Name, m.Config.Context)
	}
	return nil
}

// planToServe reads the plan, or solves for one, and makes sure that it fits
// what is to run on it.
func (s *serveFlags) planToServe(cmd *cobra.Command) (*edgeshard.Plan, error) {
	if s.plan == "" {
		return s.solveToServe(cmd)
	}
	p, err := s.in.givenPlan(s.plan, s.work.apply)
	if err != nil {
		return nil, err
	}
	return p, fits(p)
}

func (s *serveFlags) solveToServe(cmd *cobra.Command) (*edgeshard.Plan, error) {
	if s.in.topology == "" && s.in.model == "" {
		return nil, usagef("want a plan (--plan), or a topology (-t) and a model (-m)")
	}
	job, err := s.in.sources()
	if err != nil {
		return nil, err
	}
	context := job.Model.Config.Context
	job.Workload.Batch, job.Workload.PromptTokens, job.Workload.Tokens = defaultSequences, max(context/2, 1), max(context-context/2, 1)
	if err := s.work.apply(&job.Workload, &job.Model); err != nil {
		return nil, err
	}
	if !cmd.Flags().Changed("objective") {
		s.solver.objective = string(edgeshard.Throughput)
	}
	return s.solver.plan(cmd.Context(), job)
}

// fits makes sure that a plan's devices can hold what its workload now asks for,
// which its solver may not have known.
func fits(p *edgeshard.Plan) error {
	spec := p.Spec()
	peaks := p.Footprint().Peaks(p.Stages, len(p.Topology.Devices), spec.Overhead)
	for d, need := range peaks {
		if budget := spec.Budget(d); need > budget {
			return fmt.Errorf("%w; lower --batch, --prompt-tokens or --tokens, or plan for them",
				&edgeshard.OutOfMemory{Device: p.Topology.Devices[d].Name, Need: need, Budget: budget})
		}
	}
	return nil
}

// workersFlags say how the workers of a plan are reached.
type workersFlags struct {
	weights     string
	threads     int
	emulate     bool
	timeout     time.Duration
	never       bool
	adapt       bool
	rejoin      time.Duration
	credentials credentialFlags
}

func (w *workersFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.weights, "weights", "", "open this checkpoint in place of the model the plan names")
	f.IntVar(&w.threads, "threads", 0, "of a local worker; 0: as many as CPUs")
	f.BoolVar(&w.emulate, "emulate", false, "slow local workers and their links down as the topology says")
	f.DurationVar(&w.timeout, "timeout", exec.DefaultTimeout, "silence after which a worker counts as dead")
	f.BoolVar(&w.never, "no-recovery", false, "end when a worker or a link fails")
	f.BoolVar(&w.adapt, "adapt", false, "change the plan when workers or links are, for long enough, slower or faster than it reckons with")
	f.DurationVar(&w.rejoin, "rejoin", 0, "how long to wait for a remote source that is lost")
	w.credentials.register(cmd)
}

func (w *workersFlags) runner(a *app, log *slog.Logger) (*exec.Runner, error) {
	c, err := w.credentials.load()
	if err != nil {
		return nil, err
	}
	local, err := localWorker()
	if err != nil {
		return nil, err
	}
	o := exec.Options{
		Local: local, Threads: w.threads, Emulate: w.emulate, Model: w.weights, Adapt: w.adapt, Rejoin: w.rejoin, Cache: a.hashes(&w.credentials, c),
		Credentials: c, Insecure: w.credentials.insecure, Timeout: w.timeout, Progress: a.startProgress, Log: log,
	}
	if !w.never {
		o.Replan = replan
	}
	return &exec.Runner{Options: o}, nil
}

// statusOf asks an engine that may not be there yet.
type statusOf struct{ engine atomic.Pointer[exec.Engine] }

func (s *statusOf) set(e *exec.Engine) { s.engine.Store(e) }

func (s *statusOf) of(ctx context.Context) []exec.DeviceStatus {
	if e := s.engine.Load(); e != nil {
		return e.Status(ctx)
	}
	return nil
}

// readKeys reads the API keys, and warns where others could.
func readKeys(file string, log *slog.Logger) (*serve.Keys, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("others can read the API keys", "file", file, "mode", info.Mode().Perm())
	}
	return serve.ReadKeys(file, f)
}
