package exec

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard/exec/wire"

	"github.com/edgeshard/edgeshard"
)

// load returns what a member is to load for the plan.
func (e *epoch) load(m *seat) (*wire.Load, error) {
	p, c := e.plan, e.cluster
	config, err := json.Marshal(p.Model.Config)
	if err != nil {
		return nil, fmt.Errorf("model config: %w", err)
	}
	w, spec := &p.Workload, p.Spec()
	l := &wire.Load{
		Session: e.session, Coordinator: c.id, Device: m.name, DeviceIndex: uint32(m.device), Model: p.Model.Ref, ConfigJson: config,
		Source: uint32(p.Topology.Source), BudgetBytes: spec.Budget(m.device), OverheadBytes: spec.Overhead(m.device),
		MicroBatch: uint32(w.MicroBatch), PromptTokens: uint32(w.PromptTokens),
		Positions: uint32(w.Positions()), InFlight: uint32(w.InFlight()),
		ReturnLogits: w.Return == edgeshard.ReturnLogits, TimeoutNs: int64(c.timeout), Chunk: uint32(e.chunk),
	}
	if c.emulated(m.member) {
		if err := c.imitate(m.member, l); err != nil {
			return nil, err
		}
	}
	for _, o := range e.seats {
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
func (e *epoch) peers(m *seat) ([]*wire.Peer, error) {
	var peers []*wire.Peer
	stages := e.plan.Stages
	for i, s := range stages {
		to := e.plan.Topology.Source
		if i+1 < len(stages) {
			to = stages[i+1].Device
		}
		same := func(p *wire.Peer) bool { return int(p.GetDevice()) == to }
		if s.Device != m.device || to == m.device || slices.ContainsFunc(peers, same) {
			continue
		}
		p, err := e.cluster.peer(m.member, e.seat(to).member)
		if err != nil {
			return nil, err
		}
		peers = append(peers, p)
	}
	return peers, nil
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

// chunk returns how many positions of a sequence a pass of the plan may compute
// at once, where KV caches are computed again: as many as there may be, or as the
// devices have memory for, but no fewer than a prompt has.
func chunk(p *edgeshard.Plan) int {
	spec, w := p.Spec(), p.Workload
	least, positions := w.PromptTokens, w.Positions()
	fits := func(n int) bool {
		w.PromptTokens, w.Tokens = n, positions-n
		peaks := spec.Footprint(&w).Peaks(p.Stages, len(p.Topology.Devices), spec.Overhead)
		for d, peak := range peaks {
			if budget := spec.Budget(d); budget > 0 && peak > budget {
				return false
			}
		}
		return true
	}
	n := positions - 1
	for n > least && !fits(n) {
		n /= 2
	}
	return max(n, least)
}
