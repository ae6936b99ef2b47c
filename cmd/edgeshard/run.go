package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// backendFlags choose the Runner.
type backendFlags struct {
	backend     string
	model       string
	threads     int
	noEmulation bool
	timeout     time.Duration
	scenario    string
	imitation   imitationFlags
	recovery    recoveryFlags
	credentials credentialFlags
}

func (b *backendFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&b.backend, "backend", "sim", "sim: in virtual time; exec: on real workers")
	f.StringVar(&b.model, "weights", "", "with exec: open this checkpoint in place of the model the plan names")
	f.IntVar(&b.threads, "threads", 0, "with exec: of a local worker; 0: as many as CPUs")
	f.BoolVar(&b.noEmulation, "no-emulation", false, "with exec: let local workers run at full speed, without the topology's slowdowns and links")
	f.StringVar(&b.scenario, "scenario", "", "how the world differs from the topology while the plan runs, a TOML file")
	f.DurationVar(&b.timeout, "timeout", exec.DefaultTimeout, "with exec: silence after which a worker counts as dead")
	b.imitation.register(cmd)
	f.StringVar(&b.scenario, "faults", "", "the same as --scenario, for a file of faults")
	b.recovery.register(cmd)
	b.credentials.register(cmd)
	choices(cmd, "backend", "sim", "exec")
}

// runner is the one place that asks which backend runs a plan.
func (b *backendFlags) runner(a *app) (edgeshard.Runner, error) {
	if err := b.recovery.check(b.backend); err != nil {
		return nil, err
	}
	switch b.backend {
	case "sim":
		if b.imitation.local {
			return nil, usagef("--local needs --backend exec")
		}
		return scenarioRunner{scenario: b.scenario}, nil
	case "exec":
		if b.imitation.machine != "" && !b.imitation.local {
			return nil, usagef("--machine needs --local")
		}
	default:
		return nil, usagef("--backend is %q: want sim or exec", b.backend)
	}
	c, err := b.credentials.load()
	if err != nil {
		return nil, err
	}
	local, err := localWorker()
	if err != nil {
		return nil, err
	}
	r := &execRunner{app: a, scenario: b.scenario, flags: b.imitation, recovery: b.recovery, Runner: exec.Runner{Options: exec.Options{
		Local: local, Threads: b.threads, Emulate: !b.noEmulation, Model: b.model, Cache: a.hashes(&b.credentials, c),
		Credentials: c, Insecure: b.credentials.insecure, Timeout: b.timeout, Progress: a.startProgress, Log: a.logger(),
	}}}
	b.recovery.apply(&r.Options)
	return r, nil
}

// hashes returns where a coordinator of remote workers remembers the hashes of
// its weights; nil: nowhere, which costs time and no more.
func (a *app) hashes(f *credentialFlags, c *wire.Credentials) *weights.Store {
	if c == nil && !f.insecure {
		return nil
	}
	s, err := (&cacheFlags{limit: "0"}).open()
	if err != nil {
		a.logger().Warn("hashes of weights will not be remembered", "err", err)
	}
	return s
}

// startProgress shows how far workers are.
func (a *app) startProgress(p exec.Progress) { a.progress("%s", progressText(p)) }

// progressText says how far a worker is.
func progressText(p exec.Progress) string {
	if p.Total > 0 {
		return fmt.Sprintf("%s %s %s of %s", p.Device, p.State, bytesText(p.Bytes), bytesText(p.Total))
	}
	return fmt.Sprintf("%s %s", p.Device, p.State)
}

// runFiles are what a run writes.
type runFiles struct {
	report, trace string
	views         views
}

func (a *app) runCmd() *cobra.Command {
	var in inputs
	var s solverFlags
	var b backendFlags
	var files runFiles
	cmd := &cobra.Command{
		Use: "run [plan.json]", Short: "Run a plan, simulated or on real workers",
		Long: "Run a plan, or plan first where none is given: in virtual time, or with --backend exec on real workers.\n" +
			"A device with an address is the worker there; for one without a local worker process is started.",
		Example: "edgeshard run plan.json\nedgeshard run plan.json --backend exec --prompt \"Once upon a time\"\nedgeshard run -t local-3 -m demo --backend exec --tokens 50 -o measured.json",
		Args:    usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := files.views.check(); err != nil {
				return err
			}
			runner, err := b.runner(a)
			if err != nil {
				return err
			}
			in.work.weights = b.model
			plan := func() (*edgeshard.Plan, error) { return a.planToRun(cmd.Context(), &in, &s, args) }
			if b.recovery.resume != "" {
				plan = func() (*edgeshard.Plan, error) { return b.recovery.resumed(&in, args, runner) }
			}
			p, err := plan()
			if err != nil {
				return a.infeasible(err)
			}
			_, err = a.execute(cmd.Context(), runner, b.backend, p, files)
			return err
		},
	}
	in.register(cmd)
	s.register(cmd)
	b.register(cmd)
	cmd.Flags().StringVarP(&files.report, "output", "o", "", "write the report to this file")
	files.views.register(cmd)
	cmd.Flags().StringVar(&files.trace, "trace", "", "write a Chrome/Perfetto trace to this file")
	return cmd
}

// planToRun reads the plan of the arguments, with the workload flags laid over
// its own, or solves for the one the flags describe.
func (a *app) planToRun(ctx context.Context, in *inputs, s *solverFlags, args []string) (*edgeshard.Plan, error) {
	if len(args) == 0 {
		job, err := in.resolve()
		if err != nil {
			return nil, err
		}
		return s.plan(ctx, job)
	}
	return in.givenPlan(args[0], in.work.apply)
}

// givenPlan reads a plan, has the workload flags laid over its own, and predicts it anew.
func (in *inputs) givenPlan(file string, lay func(*edgeshard.Workload, *edgeshard.ModelRef) error) (*edgeshard.Plan, error) {
	if in.topology != "" || in.model != "" {
		return nil, usagef("want a plan or a topology and a model, not both")
	}
	p, err := readPlan(file)
	if err != nil {
		return nil, err
	}
	if err := lay(&p.Workload, &p.Model); err != nil {
		return nil, err
	}
	c, err := p.Costs()
	if err != nil {
		return nil, err
	}
	p.Predict(c)
	return p, p.Validate()
}

func readPlan(file string) (*edgeshard.Plan, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return edgeshard.ParsePlan(file, data)
}

// execute runs a plan, streams what a model says, and shows and writes the
// report; what was done before an error is still reported.
func (a *app) execute(ctx context.Context, r edgeshard.Runner, backend string, p *edgeshard.Plan, files runFiles) (*edgeshard.Report, error) {
	rec, spans := edgeshard.NewRecorder(p), &spanList{}
	story := a.newStreamer(p, 0)
	observers := []edgeshard.Observer{rec, story}
	if files.trace != "" || files.views.any() {
		observers = append(observers, spans)
	}
	runErr := r.Run(ctx, p, edgeshard.Tee(observers...))
	a.clear()
	story.end()
	rep := rec.Report(backend)
	if e, ok := r.(*execRunner); ok {
		rep.Imitation = e.imitation
	}
	rep.Warnings = append(slices.Clone(p.Predicted.Warnings), outdated(p, r)...)
	if b, ok := r.(banded); ok && runErr == nil {
		var err error
		if rep.Bands, err = b.Bands(ctx, p); err != nil {
			return rep, err
		}
	}
	if runErr != nil && rep.Tokens == 0 {
		return rep, runErr
	}
	return rep, errors.Join(runErr, a.finish(p, rep, spans.spans, files))
}

// banded is a Runner that can tell within which bounds its figures lie.
type banded interface {
	Bands(ctx context.Context, p *edgeshard.Plan) (map[string]edgeshard.Band, error)
}

func (a *app) finish(p *edgeshard.Plan, rep *edgeshard.Report, spans []edgeshard.Span, files runFiles) error {
	if files.report != "" {
		if err := a.writeJSON(files.report, rep); err != nil {
			return err
		}
	}
	if files.trace != "" {
		if err := writeTrace(files.trace, p, spans); err != nil {
			return err
		}
	}
	if err := files.views.write(p, spans); err != nil {
		return err
	}
	if a.format == "json" {
		return a.json(rep)
	}
	a.showReport(rep)
	return files.views.show(a, p, spans)
}

func writeTrace(file string, p *edgeshard.Plan, spans []edgeshard.Span) error {
	return writeFile(file, func(w io.Writer) error { return edgeshard.WriteTrace(w, p, spans) })
}

// spanList keeps all spans.
type spanList struct{ spans []edgeshard.Span }

func (l *spanList) Span(s edgeshard.Span)   { l.spans = append(l.spans, s) }
func (l *spanList) Text(_, _ int, _ string) {}
