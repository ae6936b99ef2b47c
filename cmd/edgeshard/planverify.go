package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/solver/verify"
)

// verifyCmd checks a certificate against the plan it belongs to.
func (a *app) verifyCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "verify PLAN --certificate FILE", Short: "Check a plan's proof without the solver's search",
		Example: "edgeshard plan -t edgeshard-testbed -m llama2-7b -o plan.json --certificate proof.json\nedgeshard plan verify plan.json --certificate proof.json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if file == "" {
				return usagef("want --certificate FILE")
			}
			c, err := verifyFiles(args[0], file)
			if err != nil {
				return err
			}
			return a.showValid(c)
		},
	}
	cmd.Flags().StringVar(&file, "certificate", "", "the proof that plan wrote")
	return cmd
}

// showValid tells what a certificate that holds says.
func (a *app) showValid(c *solver.Certificate) error {
	what, less, unit := "latency", "shorter", "ns"
	switch c.Objective {
	case edgeshard.Throughput:
		what = "round of all micro-batches"
	case edgeshard.Energy:
		what, less, unit = "energy", "lower", "nJ"
	}
	switch {
	case a.format == "json":
		return a.json(map[string]any{"valid": true, "value_" + strings.ToLower(unit): c.Value, "bound_" + strings.ToLower(unit): c.Bound, "proved": c.Bound == c.Value})
	case c.Bound == c.Value:
		a.printf("valid: no plan has a %s %s than %d %s", less, what, c.Value, unit)
	default:
		a.printf("valid: the plan's %s is %d %s, and no plan's is below %d %s", what, c.Value, unit, c.Bound, unit)
	}
	return nil
}

// verifyFiles draws the plan's problem anew and checks the certificate on it.
func verifyFiles(planFile, file string) (*solver.Certificate, error) {
	p, err := readPlan(planFile)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var c solver.Certificate
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if a, b := stagesLine(p.Stages), stagesLine(c.Stages); a != b {
		return nil, fmt.Errorf("%s: it is of another plan: %s has %s, the certificate %s", file, planFile, a, b)
	}
	problem, err := solver.New(p.Spec(), p.Workload, solver.Options{Objective: p.Objective, Constraints: c.Constraints})
	if err != nil {
		return nil, err
	}
	if err := verify.Check(problem, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &c, nil
}
