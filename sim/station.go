package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/edgeshard/edgeshard/internal/dist"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim/des"
)

// A station is a device: it serves one flow at a time, the others in order. Work
// is the time that the rest of the current stage takes at full speed; slow is
// how much longer it takes now.
type station struct {
	queue des.Queue[int32]
	busy  bool
	flow  int32
	end   des.Handle // of the current stage; none while the device stands still

	work  time.Duration
	since time.Duration // when work was brought up to date

	share   float64 // slowdown by background work and power mode
	trace   *scenarios.Trace
	pace    float64 // slowdown by the trace, at present
	fault   float64 // slowdown by faults
	frozen  bool
	dead    bool
	died    time.Duration // or froze
	deaths  int32         // so that a detection finds its own death
	noise   *dist.Source  // nil: none
	thermal *thermal      // nil: never throttled
	battery *battery      // nil: mains
}

// slow returns the factor of the device's compute times at present.
func (d *station) slow() float64 {
	if d.frozen || d.dead {
		return math.Inf(1)
	}
	f := 1.0
	if d.share != 0 {
		f = d.share
	}
	if d.fault != 0 {
		f *= d.fault
	}
	if d.trace != nil {
		f *= d.pace
	}
	if d.thermal != nil && d.thermal.hot {
		f *= d.thermal.Throttle
	}
	return f
}

// stretch returns the time that work takes at a slowdown.
func stretch(work time.Duration, slow float64) time.Duration {
	if slow == 1 {
		return min(work, never)
	}
	return time.Duration(min(math.Ceil(float64(work)*slow), float64(never)))
}

// compute starts a flow's stage on a device.
func (s *pipeline) compute(device int, f int32) {
	d, fl := &s.devices[device], &s.flows[f]
	d.busy, d.flow = true, f
	d.work, d.since = fl.row.compute[fl.stage], s.Now()
	if fl.stage == 0 {
		d.work += fl.draft
	}
	if d.noise != nil {
		d.work = time.Duration(min(float64(d.work)*d.noise.Next(), float64(horizon)))
	}
	fl.start = s.Now()
	s.heat(device)
	s.finishLater(device)
}

// finishLater schedules the end of what a device does, at its present speed.
func (s *pipeline) finishLater(device int) {
	d := &s.devices[device]
	d.end = 0
	if slow := d.slow(); !math.IsInf(slow, 1) {
		d.end = s.After(stretch(d.work, slow), event{kind: computed, flow: d.flow, epoch: s.flows[d.flow].epoch})
	}
}

// reslow changes what decides a device's speed, in the midst of its work.
func (s *pipeline) reslow(device int, change func(d *station)) {
	d := &s.devices[device]
	before := d.slow()
	if d.busy {
		if !math.IsInf(before, 1) {
			d.work = max(0, d.work-time.Duration(float64(s.Now()-d.since)/before))
		}
		d.since = s.Now()
	}
	change(d)
	if d.busy {
		s.Cancel(d.end)
		s.finishLater(device)
	}
}

// turn sets a device's speed to what its trace says from now on.
func (s *pipeline) turn(device int) {
	point, until := s.devices[device].trace.At(s.Now())
	s.reslow(device, func(d *station) { d.pace = 1 / point.Factor })
	s.At(until, event{kind: speedTick, flow: int32(device)})
}

// next turns a device to the first flow of its queue.
func (s *pipeline) next(device int) {
	d := &s.devices[device]
	d.busy = false
	if d.queue.Len() > 0 {
		s.compute(device, d.queue.Pop())
		return
	}
	s.heat(device)
}

// equip gives the devices what the scenario says of them.
func (s *pipeline) equip() (err error) {
	t := s.plan.Topology
	s.devices = make([]station, len(t.Devices))
	for i := range s.devices {
		c, d := s.rates.devices[i], &s.devices[i]
		if c.Background > 0 || c.Speed > 0 {
			d.share = 1 / ((1 - c.Background) * max(c.Speed, b2f(c.Speed == 0)))
		}
		if c.Noise != nil {
			d.noise = c.Noise.Dist().New(rand.New(rand.NewPCG(s.scenario.Seed, 0x6e6f697365<<16|uint64(i))))
		}
		idle, active := float64(t.Devices[i].IdlePower), float64(t.Devices[i].ActivePower)
		if c.Thermal != nil {
			d.thermal = &thermal{Thermal: *c.Thermal, idle: idle, active: active}
			d.thermal.target = d.thermal.settle(false)
			d.thermal.temperature = d.thermal.target
		}
		if c.Battery > 0 {
			d.battery = &battery{idle: idle, active: active, joules: c.Battery * 3600, power: idle}
			s.drain(i, d.battery)
		}
		if d.trace, err = s.scenario.Trace(c.Trace); err != nil {
			return err
		}
		if d.trace != nil && d.trace.Absolute() {
			return fmt.Errorf("scenario: device %s: trace %q gives bandwidths: want factors", c.Name, c.Trace)
		}
		if d.trace != nil {
			s.turn(i)
		}
	}
	return nil
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
