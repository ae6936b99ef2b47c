package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
)

// A validation is what validate says in JSON.
type validation struct {
	Plan      string            `json:"plan"`
	Predicted *edgeshard.Report `json:"predicted"`
	Measured  *edgeshard.Report `json:"measured"`
	*comparison
}

// A burst is how much of a plan's workload is run to validate it.
type burst struct{ requests, tokens int }

func (a *app) validateCmd() *cobra.Command {
	var b backendFlags
	brief, tolerance := burst{requests: 4, tokens: 32}, []string{"10%"}
	cmd := &cobra.Command{
		Use: "validate plan.json", Short: "Simulate a plan, run a short real burst of it, and judge the prediction",
		Long: "Simulate a plan's workload, cut to a short burst, run the burst on real workers, and compare: fails where\n" +
			"the prediction is off by more than the tolerance, so that it can gate a deployment.",
		Example: "edgeshard validate plan.json --cert me.crt --key me.key --ca ca.crt\nedgeshard validate plan.json --local --machine here.toml --tolerance tpot=5%",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := edgeshard.ParseTolerance(tolerance)
			if err != nil {
				return &usageError{err}
			}
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			brief.cut(&p.Workload)
			v, err := a.validate(cmd.Context(), &b, p, t)
			if err != nil {
				return err
			}
			v.Plan = args[0]
			if err := a.showValidation(v, p); err != nil {
				return err
			}
			return v.err()
		},
	}
	b.register(cmd)
	b.backend = "exec"
	if err := cmd.Flags().MarkHidden("backend"); err != nil {
		panic(err)
	}
	cmd.Flags().IntVar(&brief.requests, "requests", brief.requests, "of the burst, at most")
	cmd.Flags().IntVar(&brief.tokens, "tokens", brief.tokens, "that each request of the burst generates, at most")
	toleranceFlag(cmd, &tolerance)
	return cmd
}

// cut shortens a workload to the burst. Its batches stay full, and tokens are
// generated whatever the model says, as in the simulation.
func (b burst) cut(w *edgeshard.Workload) {
	w.Requests = min(w.Requests, max(b.requests, w.Batch))
	w.Prompts = w.Prompts[:min(len(w.Prompts), w.Requests)]
	w.PromptLengths = w.PromptLengths[:min(len(w.PromptLengths), w.Requests)]
	w.Replay = w.Replay[:min(len(w.Replay), w.Requests)]
	w.Tokens, w.IgnoreEOS = min(w.Tokens, b.tokens), true
}

func (a *app) validate(ctx context.Context, b *backendFlags, p *edgeshard.Plan, t edgeshard.Tolerance) (*validation, error) {
	if err := p.Workload.Validate(); err != nil {
		return nil, err
	}
	run := func(backend string) (*edgeshard.Report, error) {
		flags := *b
		flags.backend = backend
		flags.imitation.local = b.imitation.local && backend == "exec"
		r, err := flags.runner(a)
		if err != nil {
			return nil, err
		}
		rec := edgeshard.NewRecorder(p)
		err = r.Run(ctx, p, rec)
		a.clear()
		rep := rec.Report(backend)
		if e, ok := r.(*execRunner); ok {
			rep.Imitation = e.imitation
		}
		if b, ok := r.(banded); ok && err == nil {
			rep.Bands, err = b.Bands(ctx, p)
		}
		return rep, err
	}
	v := &validation{}
	var err error
	if v.Predicted, err = run("sim"); err != nil {
		return nil, err
	}
	if v.Measured, err = run("exec"); err != nil {
		return nil, err
	}
	v.comparison = newComparison(v.Predicted, v.Measured, t)
	return v, nil
}

func (a *app) showValidation(v *validation, p *edgeshard.Plan) error {
	if a.format == "json" {
		return a.json(v)
	}
	a.printf("%s: %d requests of %d tokens", v.Plan, p.Workload.Requests, p.Workload.Tokens)
	a.showImitation(v.Measured.Imitation)
	a.printf("")
	if err := a.showComparison(v.comparison); err != nil {
		return err
	}
	if sheets := unmeasured(p); len(sheets) > 0 && v.err() != nil {
		a.printf("\n%s: known by data sheets only, which say nothing of software: measure with edgeshard profile device,\n"+
			"and give the device in the topology its profile", strings.Join(sheets, ", "))
	}
	return nil
}

// unmeasured returns the devices of a plan's stages that have no profile.
func unmeasured(p *edgeshard.Plan) []string {
	var names []string
	for _, s := range p.Stages {
		if d := &p.Topology.Devices[s.Device]; d.Profile == "" && !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	return names
}
