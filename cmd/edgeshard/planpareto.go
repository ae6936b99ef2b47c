package main

import (
	"context"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// A paretoPoint is a plan that no other one beats in both objectives.
type paretoPoint struct {
	LatencyMS  float64           `json:"latency_ms"`
	Throughput float64           `json:"throughput_tokens_per_s"` // in steady state
	Proved     bool              `json:"proved"`
	Stages     []edgeshard.Stage `json:"stages"`
}

// paretoFront solves for the front of a plan's problem.
func paretoFront(ctx context.Context, p *edgeshard.Plan, o solver.Options) ([]paretoPoint, error) {
	o.Objective, o.Solver = edgeshard.Latency, solver.Exact
	problem, err := solver.New(p.Spec(), p.Workload, o)
	if err != nil {
		return nil, err
	}
	front, err := solver.Pareto(ctx, problem, o)
	if err != nil {
		return nil, err
	}
	var points []paretoPoint
	sequences := min(p.Workload.Batch, p.Workload.Requests)
	for _, r := range front {
		points = append(points, paretoPoint{
			LatencyMS:  float64(r.Value.Request) / 1e6,
			Throughput: float64(sequences) * 1e9 / float64(r.Value.Round(problem.MicroBatches)),
			Proved:     r.Proved, Stages: r.Stages,
		})
	}
	return points, nil
}

// drawFront draws a front to a file whose extension names the format.
func drawFront(p *edgeshard.Plan, points []paretoPoint, file string) error {
	g := plot.New()
	g.Title.Text = p.Model.Config.Name + " on " + p.Topology.Name
	g.X.Label.Text, g.Y.Label.Text = "latency of a request, ms", "tokens/s in steady state"
	var xy plotter.XYs
	for _, q := range points {
		xy = append(xy, plotter.XY{X: q.LatencyMS, Y: q.Throughput})
	}
	line, dots, err := plotter.NewLinePoints(xy)
	if err != nil {
		return err
	}
	line.StepStyle = plotter.PostStep
	g.Add(plotter.NewGrid(), line, dots)
	return g.Save(6*vg.Inch, 4*vg.Inch, file)
}
