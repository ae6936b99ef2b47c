package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
	"github.com/edgeshard/edgeshard/tui"
)

// What the screen shows the first time: a model that no device of a home holds.
const (
	firstTopology  = "home-lab"
	firstModel     = "llama2-13b"
	firstPrecision = "q8_0"
)

// tuiFlags are the flags of the screen.
type tuiFlags struct {
	in          inputs
	solver      solverFlags
	credentials credentialFlags
	measure     bool
	fresh       bool
}

func (a *app) tuiCmd() *cobra.Command {
	var f tuiFlags
	cmd := &cobra.Command{
		Use: "tui [-t TOPOLOGY -m MODEL]", Short: "Explore what-if questions on the planner's screen",
		Long: "Explore what-if questions: change devices, links, model and workload by keys and see the plan change.\n" +
			"Without a topology and a model it goes on where it was left, or begins with a home lab and a tour.",
		Example: "edgeshard tui\nedgeshard tui -t edgeshard-testbed -m llama2-7b\nedgeshard tui -t local-3 -m demo --measure",
		Args:    usageArgs(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.tui(cmd.Context(), &f) },
	}
	f.in.register(cmd)
	f.solver.register(cmd)
	f.credentials.register(cmd)
	cmd.Flags().BoolVar(&f.measure, "measure", false, "measure this machine first, and let local workers stand for the devices with its speed")
	cmd.Flags().BoolVar(&f.fresh, "fresh", false, "forget what was on screen the last time")
	return cmd
}

// tui shows the screen until its user leaves.
func (a *app) tui(ctx context.Context, f *tuiFlags) error {
	if !a.tty {
		return errors.New("the screen needs a terminal: edgeshard plan and edgeshard run serve scripts")
	}
	o, err := a.tuiOptions(ctx, f)
	if err != nil {
		return err
	}
	backend, err := a.tuiBackend(f)
	if err != nil {
		return err
	}
	_, err = tea.NewProgram(tui.New(backend, o), tea.WithContext(ctx)).Run()
	if errors.Is(err, tea.ErrInterrupted) || ctx.Err() != nil {
		return nil
	}
	return err
}

// tuiOptions reads the configuration and what was left on screen, and decides on
// the first question.
func (a *app) tuiOptions(ctx context.Context, f *tuiFlags) (o tui.Options, err error) {
	file, err := tui.ConfigFile()
	if err != nil {
		return o, err
	}
	if o.Config, err = tui.LoadConfig(file); err != nil {
		return o, err
	}
	if o.Session, err = tui.SessionFile(); err != nil {
		return o, err
	}
	left, err := leftOnScreen(o.Session, f.fresh)
	if err != nil {
		o.Notice = err.Error()
	}
	if o.Tour = left == nil; left != nil {
		o.Entries = left.Entries
	}
	if left != nil && left.Question != nil && f.in.topology == "" && f.in.model == "" && !f.measure {
		o.Start = *left.Question
		return o, nil
	}
	o.Start, err = a.firstQuestion(ctx, f)
	return o, err
}

// leftOnScreen returns what was on screen the last time, nil if nothing was. A
// file that cannot be read is told of, and put aside.
func leftOnScreen(file string, fresh bool) (*tui.SetFile, error) {
	if fresh {
		return nil, nil
	}
	set, err := tui.LoadSet(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("what was on screen cannot be restored, and is kept as %s.bad: %w", file, err), os.Rename(file, file+".bad"))
	}
	return set, nil
}

// firstQuestion is what the flags ask.
func (a *app) firstQuestion(ctx context.Context, f *tuiFlags) (q tui.Question, err error) {
	in := &f.in
	if in.topology == "" && in.model == "" && in.precision == "" {
		in.precision = firstPrecision
	}
	in.topology, in.model = or(in.topology, firstTopology), or(in.model, firstModel)
	job, err := in.resolve()
	if err != nil {
		return q, err
	}
	if f.measure {
		runner, err := a.demoRunner(nil)
		if err != nil {
			return q, err
		}
		a.progress("measuring this machine")
		profile, err := runner.Measure(ctx, quickMeasurement(job.Model.Ref, job.Workload, job.Topology))
		a.clear()
		if err != nil {
			return q, fmt.Errorf("measuring this machine: %w", err)
		}
		lendProfile(&job, profile)
		job.Profiles[profile.Name] = profile
	}
	o, err := f.solver.resolve()
	return tui.Question{
		Topology: job.Topology, Profiles: job.Profiles, Model: job.Model, Workload: job.Workload, Objective: o.Objective, Solver: o.Solver,
		Off: o.Exclude, Private: o.Private, Tail: o.Tail, Pins: o.Pins, File: in.topology,
	}, err
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// tuiBackend wires the screen to solver, simulator and executor.
func (a *app) tuiBackend(f *tuiFlags) (tui.Backend, error) {
	credentials, err := f.credentials.load()
	if err != nil {
		return tui.Backend{}, err
	}
	// Local workers compute as they do when this machine is measured.
	real, err := a.demoRunner(nil)
	if err != nil {
		return tui.Backend{}, err
	}
	real.Credentials, real.Insecure, real.Log = credentials, f.credentials.insecure, nil
	p, sweeps := &planner{options: f.solver.options}, &sweeper{}
	return tui.Backend{
		Plan: p.plan, Explain: p.explain, Front: p.front, Solvers: solver.Names(),
		Model: tuiModel, Models: tuiModels(),
		Open: openForTUI, Topologies: topologies.Names(), Command: commandLine,
		Sim: &sim.Runner{}, Bands: scenarioRunner{}.Bands, Faulty: faulty,
		Sweeps: func(ctx context.Context) ([]tui.Sweep, error) { return sweepsForTUI(ctx, ".") },
		Sweep:  sweeps.start, StopSweep: sweeps.stop,
		Real: func(progress func(string)) edgeshard.Runner {
			r := *real
			r.Progress = func(p exec.Progress) { progress(progressText(p)) }
			return &r
		},
	}, nil
}
