package exec

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard/exec/wire"

	"github.com/edgeshard/edgeshard"
)

// load returns what a member is to load for the plan.
func (c *cluster) load(m *member) (*wire.Load, error) {
	p := c.plan
	config, err := json.Marshal(p.Model.Config)
	if err != nil {
		return nil, fmt.Errorf("model config: %w", err)
	}
	w, spec := &p.Workload, p.Spec()
	l := &wire.Load{
		Session: c.session, Device: m.name, DeviceIndex: uint32(m.device), Model: p.Model.Ref, ConfigJson: config,
		Source: uint32(p.Topology.Source), BudgetBytes: spec.Budget(m.device), OverheadBytes: spec.Overhead(m.device),
		MicroBatch: uint32(w.MicroBatch), PromptTokens: uint32(w.PromptTokens),
		Positions: uint32(w.Positions()), InFlight: uint32(w.InFlight()),
		ReturnLogits: w.Return == edgeshard.ReturnLogits, TimeoutNs: int64(c.timeout),
	}
	if c.emulated(m) {
		if err := c.imitate(m, l); err != nil {
			return nil, err
		}
	}
	for _, o := range c.members {
		if o != m {
			l.Members = append(l.Members, &wire.Peer{Device: uint32(o.device), Address: o.address, Certificate: o.certificate})
		}
	}
	m.order = l
	for _, s := range p.Stages {
		l.Stages = append(l.Stages, &wire.Stage{Device: uint32(s.Device), From: uint32(s.From), To: uint32(s.To)})
	}
	return l, nil
}

// imitate makes a load that of a worker that imitates its device.
func (c *cluster) imitate(m *member, l *wire.Load) error {
	d, err := c.dial(m)
	if err != nil {
		return err
	}
	p, _ := d.at(0)
	l.Slowdown, l.PrefillSlowdown = p.GetSlowdown(), p.GetPrefillSlowdown()
	if err := checkPace("the scenario", min(l.Slowdown, l.PrefillSlowdown)); err != nil {
		return err
	}
	if usable := d.device.Memory; usable > 0 {
		l.BudgetBytes = int64(usable)
	}
	return nil
}

// emulated tells whether a member imitates its device.
func (c *cluster) emulated(m *member) bool { return c.options.Emulate && m.local != nil }

// peers returns the devices that a member sends to.
func (c *cluster) peers(m *member) ([]*wire.Peer, error) {
	var peers []*wire.Peer
	stages := c.plan.Stages
	for i, s := range stages {
		to := c.plan.Topology.Source
		if i+1 < len(stages) {
			to = stages[i+1].Device
		}
		same := func(p *wire.Peer) bool { return int(p.GetDevice()) == to }
		if s.Device != m.device || to == m.device || slices.ContainsFunc(peers, same) {
			continue
		}
		p, err := c.peer(m, c.member(to))
		if err != nil {
			return nil, err
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// deviceName returns the name of a device that a worker speaks of.
func (c *cluster) deviceName(device uint32) string {
	if d := c.plan.Topology.Devices; int(device) < len(d) {
		return d[device].Name
	}
	return fmt.Sprint(device)
}

func (c *cluster) member(device int) *member {
	i := slices.IndexFunc(c.members, func(m *member) bool { return m.device == device })
	return c.members[i]
}

func (c *cluster) peer(from, to *member) (*wire.Peer, error) {
	p := &wire.Peer{Device: uint32(to.device), Address: to.address, Certificate: to.certificate}
	if c.emulated(from) && c.emulated(to) {
		l := c.plan.Topology.Link(from.device, to.device)
		p.Shaped, p.BandwidthBps, p.LatencyNs = true, int64(l.Bandwidth), int64(l.Latency)
		var err error
		if p.Arbitrated, err = c.arbiter.decides(from.device, to.device); err != nil {
			return nil, err
		}
	}
	return p, nil
}
