package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
	"github.com/edgeshard/edgeshard/tui"
)

func tuiModel(ref string) (edgeshard.ModelRef, error) {
	return (&inputs{model: ref}).modelRef()
}

// tuiModels are the models to go through, the smallest first.
func tuiModels() []string {
	names := models.Names()
	size := func(name string) int {
		c, _ := models.Builtin(name)
		return c.Layers * c.Dim
	}
	slices.SortFunc(names, func(a, b string) int { return size(a) - size(b) })
	return names
}

// faulty returns a simulation in which devices die and links are cut. After a
// death the survivors get a new plan and go on.
func faulty(faults []tui.Fault) edgeshard.Runner {
	s := &scenarios.Scenario{Recovery: scenarios.Recovery{Policy: scenarios.Replan}}
	for _, f := range faults {
		at := topologies.Duration(f.At)
		fault := scenarios.Fault{At: &at, Do: scenarios.Kill, Device: f.Device}
		if f.Device == "" {
			fault.Do, fault.Between = scenarios.Cut, []string{f.From, f.To}
		}
		s.Faults = append(s.Faults, fault)
	}
	return &sim.Runner{Scenario: s, Replan: replan}
}

// openForTUI reads a topology, a plan, a scenario set, a report or a sweep's results.
func openForTUI(ref string, now *tui.Question) (*tui.Opened, error) {
	switch filepath.Ext(ref) {
	case ".json":
	case ".csv", ".parquet":
		return openResults(ref)
	default:
		return openTopology(ref, now)
	}
	data, err := os.ReadFile(ref)
	if err != nil {
		return nil, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	switch {
	case keys["stages"] != nil:
		return openPlan(ref, data, now)
	case keys["scenarios"] != nil:
		set, err := tui.ParseSet(ref, data)
		if err != nil {
			return nil, err
		}
		return &tui.Opened{Question: set.Question, Entries: set.Entries}, nil
	case keys["backend"] != nil:
		r, err := edgeshard.ParseReport(ref, data)
		return &tui.Opened{Report: r}, err
	}
	return nil, fmt.Errorf("%s: expected a plan, scenarios or a report, found none of their keys", ref)
}

func openResults(file string) (*tui.Opened, error) {
	t, err := experiments.ReadTable(file)
	if err != nil {
		return nil, err
	}
	table := &tui.Table{Columns: t.Columns}
	for _, cells := range t.Rows {
		row := make([]string, len(cells))
		for i, v := range cells {
			if v != nil {
				row[i] = fmt.Sprint(v)
			}
		}
		table.Rows = append(table.Rows, row)
	}
	return &tui.Opened{Table: table}, nil
}

func openTopology(ref string, now *tui.Question) (*tui.Opened, error) {
	q := *now
	var err error
	if q.Topology, err = topologies.Load(ref); err != nil {
		return nil, err
	}
	q.Off, q.Pins, q.Profiles, q.File, q.Edited = nil, nil, nil, ref, false
	q.Profiles, err = edgeshard.LoadProfiles(q.Topology, q.Model.Config, filepath.Dir(ref))
	return &tui.Opened{Question: &q}, err
}

func openPlan(ref string, data []byte, now *tui.Question) (*tui.Opened, error) {
	p, err := edgeshard.ParsePlan(ref, data)
	if err != nil {
		return nil, err
	}
	q := *now
	q.Topology, q.Profiles, q.Model, q.Workload, q.Objective = p.Topology, p.Profiles, p.Model, p.Workload, p.Objective
	q.Off, q.Pins, q.Solver, q.File, q.Edited = nil, nil, or(p.Solver.Name, solver.Exact), ref, false
	return &tui.Opened{Question: &q}, nil
}

// commandLine is the plan command that asks what a question asks.
func commandLine(q *tui.Question) string {
	var b bytes.Buffer
	add := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	file := or(q.File, q.Topology.Name)
	if q.Edited {
		file = fileOf(q.Topology.Name)
	}
	add("edgeshard plan -t %s -m %s --precision %s", quoted(file), quoted(q.Model.Ref), q.Model.Precision)
	d, w := edgeshard.DefaultWorkload(), &q.Workload
	for _, f := range []struct {
		flag      string
		got, none any
	}{
		{"objective", q.Objective, edgeshard.Latency}, {"solver", q.Solver, solver.Exact},
		{"requests", w.Requests, d.Requests}, {"prompt-tokens", w.PromptTokens, d.PromptTokens}, {"tokens", w.Tokens, d.Tokens},
		{"batch", w.Batch, d.Batch}, {"micro-batch", w.MicroBatch, d.MicroBatch}, {"rate", w.Rate, d.Rate},
		{"schedule", w.Schedule, d.Schedule}, {"return", w.Return, d.Return}, {"temperature", w.Temperature, d.Temperature},
		{"top-p", w.TopP, d.TopP}, {"seed", w.Seed, d.Seed},
		{"private-units", max(q.Private, 1), 1}, {"tail-units", q.Tail, 0},
	} {
		if f.got != f.none {
			add(" --%s %v", f.flag, f.got)
		}
	}
	for _, p := range w.Prompts {
		add(" --prompt %s", quoted(p))
	}
	for _, unit := range slices.Sorted(maps.Keys(q.Pins)) {
		add(" --pin %d=%s", unit, q.Pins[unit])
	}
	if len(q.Off) > 0 {
		add(" --exclude %s", strings.Join(q.Off, ","))
	}
	if q.Edited {
		add(" # save the topology as %s first", file)
	}
	return b.String()
}

// fileOf is the file that the screen suggests for a topology.
func fileOf(name string) string { return strings.TrimSuffix(filepath.Base(name), ".toml") + ".toml" }

// quoted writes an argument as a shell reads it.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,+@%=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
