package tui

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// updating tells whether to rewrite the golden files: -update, a flag of teatest.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// fakeBackend plans by a simple rule, at once: as many units on each device, in
// their order, as fit; what is asked is answered the same every time.
func fakeBackend() Backend {
	return Backend{
		Plan: fakePlan, Solvers: []string{"greedy", "solo"},
		Model: func(ref string) (edgeshard.ModelRef, error) {
			c, ok := models.Builtin(ref)
			if !ok {
				return edgeshard.ModelRef{}, fmt.Errorf("model %q: no such model", ref)
			}
			return edgeshard.ModelRef{Ref: ref, Config: c}, nil
		},
		Models: models.Names(), Topologies: topologies.Names(),
		Sweeps: func(context.Context) ([]Sweep, error) {
			at := time.Date(2024, 5, 4, 12, 30, 0, 0, time.UTC)
			return []Sweep{
				{Folder: "a", Name: "bandwidth-results", Points: 500, Done: 123, Failed: 4, Left: 41 * time.Second, Updated: at, State: SweepRuns, Results: "so-far.csv"},
				{Folder: "b", Name: "batch-results", Points: 60, Done: 60, Cached: 20, Updated: at, State: SweepEnded, Results: "results.csv"},
				{Folder: "c", Name: "old", Points: 60, Done: 7, Updated: at, State: SweepStopped, Error: "interrupted"},
			}, nil
		},
		Sweep: func(file string) (string, error) {
			if file != "good.toml" {
				return "", errors.New(file + ":3: axis: want a key")
			}
			return "./b", nil
		},
		StopSweep: func(string) error { return errors.New("it does not stop") },
		Open: func(ref string, now *Question) (*Opened, error) {
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
		},
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
		Front: func(ctx context.Context, q *Question) ([]*edgeshard.Plan, error) {
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
		},
	}
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

// ask returns a question about a built-in topology and model.
func ask(t testing.TB, topology, model string) Question {
	t.Helper()
	top, err := topologies.Load(topology)
	if err != nil {
		t.Fatal(err)
	}
	c, ok := models.Builtin(model)
	if !ok {
		t.Fatalf("no model %s", model)
	}
	return Question{
		Topology: top, Model: edgeshard.ModelRef{Ref: model, Config: c}, Workload: edgeshard.DefaultWorkload(),
		Objective: edgeshard.Latency, Solver: "greedy",
	}
}

// A driver drives a model as the runtime would, but one message after another.
type driver struct {
	testing.TB
	m Model
}

func drive(t testing.TB, q Question, w, h int) *driver {
	t.Helper()
	d := &driver{t, New(fakeBackend(), Options{Start: q})}
	d.m.clock = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	d.do(func() tea.Msg { return tea.ColorProfileMsg{Profile: colorprofile.TrueColor} })
	d.do(func() tea.Msg { return tea.WindowSizeMsg{Width: w, Height: h} })
	d.do(d.m.Init())
	return d
}

// do does a command and all that follow from it, but for clocks.
func (d *driver) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	d.send(cmd())
}

func (d *driver) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil, spinMsg, frameMsg, changedOnDiskMsg:
		return
	case tea.BatchMsg:
		for _, c := range msg {
			d.do(c)
		}
		return
	}
	next, cmd := d.m.Update(msg)
	d.m = next.(Model)
	d.do(cmd)
}

// keys presses keys, named as bubbletea names them.
func (d *driver) keys(names ...string) *driver {
	for _, n := range names {
		d.send(press(n))
	}
	return d
}

var named = map[string]rune{
	"enter": tea.KeyEnter, "tab": tea.KeyTab, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
	"right": tea.KeyRight, "space": tea.KeySpace, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "home": tea.KeyHome, "end": tea.KeyEnd,
}

func press(name string) tea.KeyPressMsg {
	if code, ok := named[name]; ok {
		k := tea.KeyPressMsg{Code: code}
		if name == "space" {
			k.Text = " "
		}
		return k
	}
	if name == "shift+tab" {
		return tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift}
	}
	if len(name) > 5 && name[:5] == "ctrl+" {
		return tea.KeyPressMsg{Code: rune(name[5]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// plain is what is on screen, without escape codes.
func (d *driver) plain() string {
	d.Helper()
	a := d.m.render()
	return a.buf.String() + "\n"
}

func (d *driver) golden(name string) {
	d.Helper()
	d.m.answer.Took = 0
	file := filepath.Join("testdata", name+".txt")
	got := d.plain()
	if updating() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			d.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		d.Fatalf("%v: run with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		d.Errorf("%s (−want +got):\n%s", name, diff)
	}
}
