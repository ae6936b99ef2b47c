package tui

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// fakeBackend plans by a simple rule, at once: as many units on each device, in
// their order, as fit; what is asked is answered the same every time.
func fakeBackend() Backend {
	return Backend{
		Plan: fakePlan, Solvers: []string{"greedy", "solo"},
		Model: fakeModel, Models: models.Names(), Topologies: topologies.Names(),
		Sweeps: fakeSweeps, Sweep: fakeSweep, StopSweep: func(string) error { return errors.New("it does not stop") },
		Open:    fakeOpen,
		Command: func(q *Question) string { return "edgeshard plan -t " + q.Topology.Name },
		Sim:     fakeRunner{}, Real: func(progress func(string)) edgeshard.Runner {
			progress("pi-1 loading")
			return fakeRunner{text: true}
		},
		Faulty: func([]Fault) edgeshard.Runner { return fakeRunner{} },
		Explain: func(_ context.Context, _ *Question, s Subject, tell func([]string)) error {
			tell([]string{"first"})
			tell([]string{fmt.Sprintf("because of %+v", s)})
			return nil
		},
		Front: fakeFront,
	}
}

func fakeModel(ref string) (edgeshard.ModelRef, error) {
	c, ok := models.Builtin(ref)
	if !ok {
		return edgeshard.ModelRef{}, fmt.Errorf("model %q: no such model", ref)
	}
	return edgeshard.ModelRef{Ref: ref, Config: c}, nil
}

// fakeSweeps are one sweep that runs, one that ended and one that was stopped.
func fakeSweeps(context.Context) ([]Sweep, error) {
	at := time.Date(2024, 5, 4, 12, 30, 0, 0, time.UTC)
	return []Sweep{
		{Folder: "a", Name: "bandwidth-results", Points: 500, Done: 123, Failed: 4, Left: 41 * time.Second, Updated: at, State: SweepRuns, Results: "so-far.csv"},
		{Folder: "b", Name: "batch-results", Points: 60, Done: 60, Cached: 20, Updated: at, State: SweepEnded, Results: "results.csv"},
		{Folder: "c", Name: "old", Points: 60, Done: 7, Updated: at, State: SweepStopped, Error: "interrupted"},
	}, nil
}

// fakeSweep starts the sweep of good.toml; in other files it finds a fault.
func fakeSweep(file string) (string, error) {
	if file != "good.toml" {
		return "", errors.New(file + ":3: axis: want a key")
	}
	return "./b", nil
}

func fakeOpen(ref string, now *Question) (*Opened, error) {
	if filepath.Ext(ref) == ".csv" {
		return &Opened{Table: fakeTable(ref)}, nil
	}
	t, err := topologies.Load(ref)
	if err != nil {
		return nil, err
	}
	q := *now
	q.Topology, q.File, q.Edited, q.Off, q.Pins = t, ref, false, nil, nil
	return &Opened{Question: &q}, nil
}

// fakeFront plans for batches of 1, 2 and 4.
func fakeFront(ctx context.Context, q *Question) ([]*edgeshard.Plan, error) {
	var plans []*edgeshard.Plan
	for _, b := range []int{1, 2, 4} {
		c := *q
		c.Workload.Batch, c.Workload.Requests = b, b
		p, err := fakePlan(ctx, &c)
		if err != nil {
			return nil, err
		}
		p.ObjectiveMS = float64(100 * b)
		plans = append(plans, p)
	}
	return plans, nil
}

// fakeTable are the results of a sweep.
func fakeTable(ref string) *Table {
	t := &Table{Columns: []string{"model", "bandwidth", "tpot_ms"}}
	for i := range 50 {
		t.Rows = append(t.Rows, []string{ref, fmt.Sprint(i % 7), fmt.Sprint(1000.0 / float64(i+1))})
	}
	return t
}

func fakePlan(_ context.Context, q *Question) (*edgeshard.Plan, error) {
	p := &edgeshard.Plan{Model: q.Model, Topology: q.Topology, Profiles: q.Profiles, Workload: q.Workload, Objective: q.Objective}
	spec, f, units := q.Spec(), p.Footprint(), q.Model.Config.Units()
	order := append([]int{q.Topology.Source}, indices(len(q.Topology.Devices))...)
	used := make(map[int]bool)
	next := 0
	for _, d := range order {
		if used[d] || q.off(d) || next == units || q.Solver == "solo" && d != q.Topology.Source {
			continue
		}
		used[d] = true
		need, from := spec.Overhead(d)+f.Workspace(), next
		for next < units && (need+f.Unit(next) <= spec.Budget(d) || next == 0) {
			need += f.Unit(next)
			next++
		}
		if next > from {
			p.Stages = append(p.Stages, edgeshard.Stage{Name: q.Topology.Devices[d].Name, Device: d, From: from, To: next})
		}
	}
	if next < units {
		return nil, fmt.Errorf("no plan fits: %d units are left over", units-next)
	}
	c, err := p.Costs()
	if err != nil {
		return nil, err
	}
	p.Predict(c)
	p.Solver = edgeshard.Solution{Name: q.Solver, Proved: true}
	return p, nil
}

// fakeRunner runs the passes of one request, one after another, on idle devices.
type fakeRunner struct{ text bool }

func (f fakeRunner) Run(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error {
	c, err := p.Costs()
	if err != nil {
		return err
	}
	at := edgeshard.Span{Request: -1, Stage: -1, Device: -1, To: -1}.End
	for step := range p.Workload.Tokens {
		pass := models.Pass{Batch: 1, Tokens: 1, Past: p.Workload.PromptTokens + step}
		begin, on := at, p.Topology.Source
		for i, s := range p.Stages {
			if t := c.Transfer(on, s.Device, p.Model.Config.ActivationBytes(pass)); on != s.Device {
				obs.Span(edgeshard.Span{What: edgeshard.Send, Step: step, Stage: i, Device: on, To: s.Device, Bytes: 1, Start: at, Free: at + t.Occupancy, End: at + t.Idle()})
				at += t.Idle()
			}
			on = s.Device
			t := edgeshard.StageTime(c, s, pass)
			obs.Span(edgeshard.Span{What: edgeshard.Compute, Step: step, Stage: i, Device: on, To: -1, Start: at, End: at + t})
			at += t
		}
		obs.Span(edgeshard.Span{What: edgeshard.Token, Step: step, Stage: -1, Device: -1, To: -1, Start: begin, End: at})
		if f.text {
			obs.Text(0, step, fmt.Sprintf(" word%d", step))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
