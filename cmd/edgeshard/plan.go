package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/wholefile"
	"github.com/edgeshard/edgeshard/solver"
)

// solverFlags are the flags of planning.
type solverFlags struct {
	options   solver.Options
	objective string
	pins      map[string]string // by unit
}

func (s *solverFlags) register(cmd *cobra.Command) {
	f, o := cmd.Flags(), &s.options
	f.StringVar(&o.Solver, "solver", solver.Names()[0], "exact, the paper's (edgeshard), or a baseline")
	f.StringVar(&s.objective, "objective", string(edgeshard.Latency), "latency, throughput or energy")
	f.IntVar(&o.Private, "private-units", 1, "leading units that stay at the source")
	f.IntVar(&o.Tail, "tail-units", 0, "trailing units that stay at the source")
	f.BoolVar(&o.OneVisit, "one-visit", false, "give each device at most one stage")
	f.StringSliceVar(&o.Exclude, "exclude", nil, "devices that take no part")
	f.StringSliceVar(&o.Force, "force", nil, "devices that must take part")
	f.DurationVar(&o.Deadline, "deadline", 0, "stop solving then, with the best plan so far and its gap")
	choices(cmd, "solver", solver.Names()...)
	choices(cmd, "objective", string(edgeshard.Latency), string(edgeshard.Throughput), string(edgeshard.Energy))
}

// plan solves for a job, a plan yet without stages.
func (s *solverFlags) plan(ctx context.Context, job edgeshard.Plan) (*edgeshard.Plan, error) {
	o, err := s.resolve()
	if err != nil {
		return nil, err
	}
	p, _, err := solver.Plan(ctx, job, o)
	return p, err
}

func (a *app) planCmd() *cobra.Command {
	var in inputs
	var s solverFlags
	var x planExtras
	var out string
	cmd := &cobra.Command{
		Use: "plan -t TOPOLOGY -m MODEL", Short: "Find which devices run which layers",
		Example: "edgeshard plan -t edgeshard-testbed -m llama2-7b\nedgeshard plan -t home.toml -m model.gguf --objective throughput --batch 8 --micro-batch 2 -o plan.json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			job, err := in.resolve()
			if err != nil {
				return err
			}
			o, err := s.resolve()
			if err != nil {
				return err
			}
			p, r, err := solver.Plan(cmd.Context(), job, o)
			if err != nil {
				return a.infeasible(err)
			}
			e, err := x.add(cmd.Context(), a, p, r, o)
			if err != nil {
				return err
			}
			return a.showPlan(e, out)
		},
	}
	in.register(cmd)
	s.register(cmd)
	x.register(cmd, &s)
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the plan to this file")
	cmd.AddCommand(a.verifyCmd())
	return cmd
}

// infeasible tells scripts in JSON what is missing where no plan fits, and
// returns err.
func (a *app) infeasible(err error) error {
	var none *solver.Infeasible
	if a.format != "json" || !errors.As(err, &none) {
		return err
	}
	missing := make(map[string]int64)
	var reasons []string
	for _, r := range none.Reasons {
		reasons = append(reasons, r.Text)
		if r.Missing > 0 {
			missing[r.Device] = r.Missing
		}
	}
	return errors.Join(err, a.json(map[string]any{"infeasible": true, "reasons": reasons, "missing_bytes": missing}))
}

// showPlan writes a plan to file, if named, and shows it with its extras.
func (a *app) showPlan(e *extendedPlan, file string) error {
	p := e.Plan
	if file != "" {
		if err := a.writeJSON(file, p); err != nil {
			return err
		}
	}
	if a.format == "json" {
		return a.json(e)
	}
	c, err := p.Costs()
	if err != nil {
		return err
	}
	a.describePlan(p, c)
	a.warn(outdated(p, nil))
	e.show(a)
	if file != "" {
		a.printf("\n  wrote %s: run it with edgeshard run %s", file, file)
	}
	return nil
}

func (a *app) describePlan(p *edgeshard.Plan, c edgeshard.Costs) {
	a.title("plan for %s (%s) on %s, for %s", p.Model.Config.Name, p.Model.Precision, p.Topology.Name, p.Objective)
	a.strip(p)
	a.printf("")
	a.stages(p, c)
	a.printf("")
	a.memory(p)
	q, w := &p.Predicted, &p.Workload
	a.printf("\n  %s  TTFT %s · TPOT %s · %s tokens/s", headerStyle.Render("predicted"), msText(q.TTFTMS), msText(q.TPOTMS), digits(q.Throughput))
	if p.Objective == edgeshard.Energy {
		a.printf("  %s J a request above idle power", digits(p.ObjectiveMJ/1e3))
	}
	a.printf("  %s", faintStyle.Render(fmt.Sprintf("%d + %d tokens, batch %d in micro-batches of %d, %s", w.PromptTokens, w.Tokens, w.Batch, w.MicroBatch, w.Schedule)))
	a.printf("  %s", solutionText(p))
	a.warn(q.Warnings)
}

// warn writes what a prediction should be taken with.
func (a *app) warn(warnings []string) {
	for _, w := range warnings {
		a.printf("  %s %s", warningStyle.Render("warning:"), w)
	}
}

// solutionText says in a line how much a plan can be trusted.
func solutionText(p *edgeshard.Plan) string {
	s := &p.Solver
	took := time.Duration(s.ElapsedMS * 1e6).Round(10 * time.Microsecond)
	switch {
	case s.Proved:
		return goodStyle.Render("proved optimal") + faintStyle.Render(fmt.Sprintf(" by %s in %s", s.Name, took))
	case s.Bounded():
		return fmt.Sprintf("at most %.2f %% above the optimum, by %s in %s", 100*s.Gap/(1-min(s.Gap, 0.999)), s.Name, took)
	}
	return faintStyle.Render(fmt.Sprintf("%s, in %s", s.Note, took))
}

// writeJSON writes v to a file, whole or not at all.
func (a *app) writeJSON(file string, v any) error {
	data, err := wholefile.JSON(v)
	if err != nil {
		return err
	}
	return wholefile.Write(file, data)
}
