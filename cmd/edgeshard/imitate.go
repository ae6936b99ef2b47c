package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/topologies"
)

// imitationFlags say how local workers stand for a topology's devices.
type imitationFlags struct {
	local   bool
	machine string
	cores   map[string]string
}

func (f *imitationFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.BoolVar(&f.local, "local", false, "with exec: run all devices on this machine, also those with an address, as slow as the plan's costs say")
	fl.StringVar(&f.machine, "machine", "", "with --local: this machine's profile of the model; without one it is measured first")
	fl.StringToStringVar(&f.cores, "cores", nil, "with exec: pin local workers to processor cores: device=0-1 (repeat it for several)")
}

// execRunner runs plans on workers, under a scenario if there is one, and keeps
// how local workers stood for devices.
type execRunner struct {
	exec.Runner
	app       *app
	scenario  string
	flags     imitationFlags
	recovery  recoveryFlags
	imitation *edgeshard.Imitation
}

var _ edgeshard.Runner = (*execRunner)(nil)

// Run makes the plan one for this machine, where it is to be, and runs it.
func (r *execRunner) Run(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error {
	if r.scenario != "" {
		var err error
		if r.Scenario, err = scenarios.Load(r.scenario, p.Topology); err != nil {
			return err
		}
		r.obeyRecovery()
	}
	q, addresses, err := r.flags.localise(p)
	if err != nil {
		return err
	}
	if len(addresses) > 0 {
		r.app.note("--local: %d addresses of the topology are not used: local workers stand for those devices", len(addresses))
	}
	if r.flags.local && r.Emulate {
		if r.Machine, err = r.measured(ctx, q); err != nil {
			return fmt.Errorf("measuring this machine: %w", err)
		}
	}
	r.Imitated = func(i *edgeshard.Imitation) {
		for d := range i.Devices {
			i.Devices[d].Address = addresses[i.Devices[d].Name]
		}
		r.imitation = i
	}
	return r.recovery.withJournal(q, &r.Options, func() error { return r.Runner.Run(ctx, q, obs) })
}

// localise returns the plan with the cores that flags give, and with --local
// without addresses, which it returns by device.
func (f *imitationFlags) localise(p *edgeshard.Plan) (*edgeshard.Plan, map[string]string, error) {
	if !f.local && len(f.cores) == 0 {
		return p, nil, nil
	}
	q, t := *p, *p.Topology
	t.Devices = slices.Clone(t.Devices)
	q.Topology = &t
	for name, cores := range f.cores {
		i, ok := t.Index(name)
		if !ok {
			return nil, nil, usagef("--cores: topology %s has no device %q", t.Name, name)
		}
		if _, err := topologies.ParseCores(cores); err != nil {
			return nil, nil, usagef("--cores: %s: %w", name, err)
		}
		t.Devices[i].Cores = cores
	}
	addresses := make(map[string]string)
	for i := range t.Devices {
		if d := &t.Devices[i]; f.local && d.Address != "" {
			addresses[d.Name] = d.Address
			d.Address = ""
		}
	}
	return &q, addresses, nil
}

// measured returns this machine's profile of the plan's model: the one given, one
// of the plan's that was measured here with as many threads, or a new one.
func (r *execRunner) measured(ctx context.Context, p *edgeshard.Plan) (*edgeshard.Profile, error) {
	if r.flags.machine != "" {
		return edgeshard.LoadProfile(r.flags.machine)
	}
	if here, err := os.Hostname(); err == nil {
		for _, name := range slices.Sorted(maps.Keys(p.Profiles)) {
			if q := p.Profiles[name]; q.Host == here && q.Threads == cmp.Or(r.Threads, runtime.GOMAXPROCS(0)) {
				return q, nil
			}
		}
	}
	ref := cmp.Or(r.Model, p.Model.Ref)
	if err := canRun(ref); err != nil {
		return nil, err
	}
	defer r.app.clear()
	probe := exec.Runner{Options: exec.Options{Local: r.Local, Threads: r.Threads, Log: r.Log, Timeout: r.Timeout}}
	w := p.Workload
	w.Tokens = min(w.Tokens, 24)
	m := quickMeasurement(ref, w, p.Topology)
	m.Progress = func(part float64) { r.app.progress("measuring this machine: %.0f %%", 100*min(part, 1)) }
	return probe.Measure(ctx, m)
}

// canRun makes sure that there is a checkpoint: a mere shape can be measured, too.
func canRun(ref string) error {
	c, err := models.Open(ref)
	if err != nil {
		return err
	}
	return c.Close()
}

// showImitation tells people how local workers stood for devices.
func (a *app) showImitation(i *edgeshard.Imitation) {
	if i == nil {
		return
	}
	a.printf("")
	var rows [][]string
	for _, d := range i.Devices {
		row := []string{d.Name, factorText(d.Slowdown), factorText(d.PrefillSlowdown), "–", bytesText(d.Budget), d.Enforced, d.Cores, d.Address}
		if d.Achieved > 0 {
			row[3] = factorText(d.Achieved)
		}
		rows = append(rows, row)
	}
	a.table([]string{"imitated", "slowed in decode", "in prefill", "achieved", "budget", "kept to it by", "cores", "instead of"}, rows)
	rows = nil
	for _, l := range i.Links {
		rows = append(rows, []string{
			l.From + " → " + l.To, topologies.BitRate(l.Bandwidth).String(), msText(l.LatencyMS), l.By, msText(l.LateMS), msText(l.LatestMS),
		})
	}
	if len(rows) > 0 {
		a.printf("")
		a.table([]string{"shaped", "bandwidth", "latency", "by", "late on average", "at most"}, rows)
	}
}

func factorText(f float64) string { return fmt.Sprintf("%.4g×", f) }
