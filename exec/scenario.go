package exec

import (
	"context"
	"fmt"
	"time"

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
		"fault":     len(sc.Faults) > 0,
		"kv_policy": sc.KV == scenarios.Grow, "prefill_chunk": sc.PrefillChunk > 0, "speculative": sc.Speculative != nil,
		"compression": sc.Compression != nil, "delivery": sc.Delivery != nil,
	} {
		if given {
			return fmt.Errorf("scenario: %s can only be simulated", key)
		}
	}
	return nil
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
	p, err := paceOf(c.plan, m.device, c.options.Machine)
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
	until = time.Hour
	if d.trace != nil {
		point, change := d.trace.At(now)
		factor /= max(point.Factor, 1e-6)
		until = change
	}
	return &wire.Pace{Slowdown: d.pace.GetSlowdown() * factor, PrefillSlowdown: d.pace.GetPrefillSlowdown() * factor}, until
}

// turn changes a worker's speed along the trace of its device until ctx ends.
func (d *dial) turn(ctx context.Context, begin time.Duration) {
	now := func() time.Duration { return time.Duration(d.member.cluster.now()) - begin }
	for ctx.Err() == nil {
		p, until := d.at(now())
		if d.member.send(&wire.Command{Kind: &wire.Command_Pace{Pace: p}}) != nil {
			return // listen gets the reason
		}
		waitUntil(ctx, func() time.Duration { return until - now() }, nil)
	}
}

// shape begins to change links and speeds as the scenario says, whose time begins.
func (c *cluster) shape(begin time.Duration) error {
	c.arbiter.begin(c.ctx, begin)
	for _, m := range c.members {
		if !c.emulated(m) {
			continue
		}
		d, err := c.dial(m)
		if err != nil {
			return err
		}
		if d.trace != nil {
			c.tasks.Go(func() { d.turn(c.ctx, begin) })
		}
	}
	return nil
}
