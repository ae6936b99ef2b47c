package exec

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

const (
	// asFast is the slowdown that counts as none: a profile is not more exact.
	asFast = 0.97
	// immaterial is the part of a pass that a device may be imitated too slowly by.
	immaterial = 0.01
)

// paceOf returns how much slower than this machine a device is to be: by its
// slowdown, or where this machine's profile is known by the plan's own costs of
// the device's stages, in decode and in prefill.
func paceOf(p *edgeshard.Plan, device int, machine *edgeshard.Profile) (*wire.Pace, error) {
	d := &p.Topology.Devices[device]
	if machine == nil || p.Profiles[d.Profile] == machine {
		f := cmp.Or(d.Slowdown, 1)
		return &wire.Pace{Slowdown: f, PrefillSlowdown: f}, checkPace("computing", f)
	}
	own, err := edgeshard.NewCosts(p.Spec())
	if err != nil {
		return nil, err
	}
	here, err := machineCosts(p, machine)
	if err != nil {
		return nil, err
	}
	w := &p.Workload
	extra, extraHere := time.Duration(0), machine.Stage
	if profile := p.Profiles[d.Profile]; profile != nil {
		extra = time.Duration(float64(profile.Stage) * cmp.Or(d.Slowdown, 1))
	}
	factor := func(what string, pass models.Pass) (float64, error) {
		var there, local time.Duration
		for _, s := range p.Stages {
			if s.Device == device {
				there += extra + edgeshard.StageTime(own, s, pass)
				local += extraHere + edgeshard.StageTime(here, edgeshard.Stage{From: s.From, To: s.To}, pass)
			}
		}
		if loop := p.Spec().Loop(own, p.Stages, pass, w.Return).Time; local-there <= time.Duration(immaterial*float64(loop)) {
			return max(1, float64(there)/float64(max(local, 1))), nil
		}
		f := float64(there) / float64(local)
		return max(f, 1), checkPace(what, f)
	}
	q := &wire.Pace{}
	if q.Slowdown, err = factor("decode", models.Pass{Batch: w.MicroBatch, Tokens: 1, Past: w.PromptTokens + w.Tokens/2}); err != nil {
		return nil, err
	}
	q.PrefillSlowdown, err = factor("prefill", models.Pass{Batch: w.MicroBatch, Tokens: w.PromptTokens})
	return q, err
}

// machineCosts are those of the plan's model on this machine, as device 0.
func machineCosts(p *edgeshard.Plan, machine *edgeshard.Profile) (edgeshard.Costs, error) {
	const name = "machine" // its own may be none
	here := p.Topology.Devices[p.Topology.Source]
	here.Profile, here.Slowdown = name, 1
	t, err := topologies.New("machine", []topologies.Device{here}, 0, func(int, int) topologies.Link { return topologies.Link{} })
	if err != nil {
		return nil, err
	}
	spec := p.Spec()
	profile := *machine
	if len(p.Topology.Devices) > 1 {
		profile.Alone = 0
	}
	spec.Topology, spec.Profiles = t, map[string]*edgeshard.Profile{name: &profile}
	costs, err := edgeshard.NewCosts(spec)
	if err != nil {
		return nil, fmt.Errorf("this machine: %w", err)
	}
	return costs, nil
}

// checkPace refuses what idling cannot do.
func checkPace(what string, factor float64) error {
	if factor >= asFast {
		return nil
	}
	return fmt.Errorf("cannot be imitated: it is faster than this machine, %.2f times in %s", 1/factor, what)
}

// imitation describes what the local workers stood for, from what they said at
// the end, by device.
func (e *epoch) imitation(said map[int]*wire.Imitation) *edgeshard.Imitation {
	c := e.cluster
	out := &edgeshard.Imitation{Devices: []edgeshard.ImitatedDevice{}, Links: []edgeshard.ImitatedLink{}}
	if c.options.Machine != nil {
		out.Machine = c.options.Machine.Name
	}
	for _, m := range e.seats {
		if !c.emulated(m.member) {
			continue
		}
		d := edgeshard.ImitatedDevice{
			Name: m.name, Cores: c.coresOf(m.member), Budget: m.order.GetBudgetBytes(),
			Slowdown: m.order.GetSlowdown(), PrefillSlowdown: cmp.Or(m.order.GetPrefillSlowdown(), m.order.GetSlowdown()),
		}
		d.Enforced = said[m.device].GetEnforced()
		if l := m.worker(); d.Enforced != "" && l != nil && l.cage != nil {
			d.Enforced += ", " + byGroup
		}
		if i := said[m.device]; i.GetWorkNs() > 0 {
			d.Achieved = 1 + float64(i.GetIdleNs())/float64(i.GetWorkNs())
		}
		out.Devices = append(out.Devices, d)
		for _, l := range said[m.device].GetLinks() {
			out.Links = append(out.Links, c.imitatedLink(m.member, l))
		}
	}
	slices.SortFunc(out.Links, func(a, b edgeshard.ImitatedLink) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}

// coresOf returns the cores that a member's process is pinned to.
func (c *cluster) coresOf(m *member) string {
	if c.options.Local == nil {
		return "" // it has no process of its own
	}
	return c.plan.Topology.Devices[m.device].Cores
}

func (c *cluster) imitatedLink(m *member, said *wire.ShapedLink) edgeshard.ImitatedLink {
	t, to := c.plan.Topology, int(said.GetTo())
	l := t.Link(m.device, to)
	out := edgeshard.ImitatedLink{
		From: m.name, To: c.deviceName(said.GetTo()), Bandwidth: int64(l.Bandwidth), LatencyMS: edgeshard.Milliseconds(l.Latency),
		By: "sender", Messages: said.GetMessages(), LatestMS: float64(said.GetLatestNs()) / 1e6,
	}
	if sc := c.options.Scenario; sc != nil && sc.ChangesLink(t, m.device, to) {
		out.By = "coordinator"
	}
	if out.Messages > 0 {
		out.LateMS = float64(said.GetLateNs()) / 1e6 / float64(out.Messages)
	}
	return out
}
