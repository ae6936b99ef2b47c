package exec

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/scenarios"
)

// CheckScenario reports what a scenario asks for that real workers do not do.
func CheckScenario(sc *scenarios.Scenario) error {
	if sc == nil {
		return nil
	}
	for i := range sc.Devices {
		d := &sc.Devices[i]
		for key, given := range map[string]bool{
			"noise": d.Noise != nil, "thermal": d.Thermal != nil, "battery_wh": d.Battery > 0,
			"precision": d.Weights != "", "kv_element_bytes": d.KVBytes > 0,
		} {
			if given {
				return fmt.Errorf("scenario: device %s: %s can only be simulated", d.Name, key)
			}
		}
	}
	for key, given := range map[string]bool{
		"kv_policy": sc.KV == scenarios.Grow, "prefill_chunk": sc.PrefillChunk > 0, "speculative": sc.Speculative != nil,
		"compression": sc.Compression != nil, "delivery": sc.Delivery != nil,
	} {
		if given {
			return fmt.Errorf("scenario: %s can only be simulated", key)
		}
	}
	return nil
}

// onTopology returns the options with what the plan's topology says of links that
// are imitated and vary.
func (r *Runner) onTopology(p *edgeshard.Plan) (*Options, error) {
	o := r.Options
	if !o.Emulate {
		return &o, nil
	}
	var err error
	o.Scenario, err = scenarios.On(p.Topology, o.Scenario)
	return &o, err
}

// A dial is the speed of a device that is imitated, as a scenario has it.
type dial struct {
	member *member
	pace   *wire.Pace // without the scenario
	device scenarios.Device
	trace  *scenarios.Trace
}

// dial returns a member's dial.
func (c *cluster) dial(m *member) (*dial, error) {
	p, err := paceOf(c.imitated(), m.device, c.options.Machine)
	if err != nil {
		return nil, err
	}
	d := &dial{member: m, pace: p}
	sc := c.options.Scenario
	if sc == nil {
		return d, nil
	}
	d.device = sc.DeviceOf(c.plan.Topology, m.device)
	d.trace, err = sc.Trace(d.device.Trace)
	return d, err
}

// at returns the pace at a time of the run, and when it changes.
func (d *dial) at(now time.Duration) (p *wire.Pace, until time.Duration) {
	factor := 1 / (1 - d.device.Background)
	if d.device.Speed > 0 {
		factor /= d.device.Speed
	}
	factor *= d.member.hurt()
	until = time.Hour
	if d.trace != nil {
		point, change := d.trace.At(now)
		factor /= max(point.Factor, 1e-6)
		until = change
	}
	return &wire.Pace{Slowdown: d.pace.GetSlowdown() * factor, PrefillSlowdown: d.pace.GetPrefillSlowdown() * factor}, until
}

// turn changes a worker's speed along the trace of its device until ctx ends.
func (d *dial) turn(ctx context.Context, s *seat) {
	now := d.member.cluster.runTime
	for ctx.Err() == nil {
		p, until := d.at(now())
		if s.send(&wire.Command{Kind: &wire.Command_Pace{Pace: p}}) != nil {
			return // listen gets the reason
		}
		waitUntil(ctx, func() time.Duration { return until - now() }, nil)
	}
}

// shape begins to change the speeds of an epoch's workers as the scenario says.
func (e *epoch) shape() error {
	for _, s := range e.seats {
		if !e.cluster.emulated(s.member) {
			continue
		}
		d, err := e.cluster.dial(s.member)
		if err != nil {
			return err
		}
		if d.trace != nil {
			e.tasks.Go(func() { d.turn(e.ctx, s) })
		}
	}
	return nil
}

// imitated returns the plan whose devices local workers stand for: the first
// one's topology and costs, with the stages of the present.
func (c *cluster) imitated() *edgeshard.Plan {
	p := *c.plan
	if e := c.current(); e != nil {
		p.Stages = e.plan.Stages
	}
	return &p
}
