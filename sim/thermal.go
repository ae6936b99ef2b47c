package sim

import (
	"math"
	"time"

	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim/des"
)

// thermal is the temperature of a device: dT/dt = (P·R − (T − ambient))/(R·C),
// solved exactly between the changes of its power P.
type thermal struct {
	scenarios.Thermal
	idle, active float64 // watts
	temperature  float64
	target       float64 // the temperature tends to
	since        time.Duration
	hot          bool // and therefore slowed
	crossing     des.Handle
}

// battery is the energy a device has left.
type battery struct {
	idle, active float64 // watts
	joules       float64
	power        float64 // drawn since
	since        time.Duration
	empty        des.Handle
}

// settle returns the temperature that the device tends to.
func (t *thermal) settle(busy bool) float64 {
	power := t.idle
	switch {
	case busy && t.hot:
		if power = t.Throttled; power == 0 {
			power = t.active / t.Throttle
		}
	case busy:
		power = t.active
	}
	return t.Ambient + power*t.Resistance
}

// update brings the temperature up to now, at what the device has done since.
func (t *thermal) update(now time.Duration) {
	tau := t.Resistance * t.Capacity
	t.temperature = t.target + (t.temperature-t.target)*math.Exp(-(now-t.since).Seconds()/tau)
	t.since = now
}

// reach returns the time until the temperature crosses the bound that changes
// the speed; false if it never does.
func (t *thermal) reach() (time.Duration, bool) {
	bound := t.Limit
	if t.hot {
		bound = t.Limit - t.Hysteresis
	}
	gone := (bound - t.target) / (t.temperature - t.target)
	switch {
	case t.hot && t.temperature <= bound || !t.hot && t.temperature >= bound:
		return 0, true
	case t.hot && t.target >= bound || !t.hot && t.target <= bound:
		return 0, false
	}
	seconds := -t.Resistance * t.Capacity * math.Log(gone)
	return time.Duration(min(math.Ceil(seconds*1e9), float64(never))), true
}

// heat is told that a device has begun or ended to compute.
func (s *pipeline) heat(device int) {
	d := &s.devices[device]
	if d.thermal != nil {
		s.warm(device, d.thermal)
	}
	if d.battery != nil {
		s.drain(device, d.battery)
	}
}

// warm brings a device's temperature up to date and waits for the next crossing.
func (s *pipeline) warm(device int, t *thermal) {
	t.update(s.Now())
	t.target = t.settle(s.devices[device].busy)
	s.Cancel(t.crossing)
	t.crossing = 0
	if after, ok := t.reach(); ok && after < horizon {
		t.crossing = s.After(after, event{kind: thermalTick, flow: int32(device)})
	}
}

// crossed changes a device's speed as its temperature has reached a bound.
func (s *pipeline) crossed(device int) {
	t := s.devices[device].thermal
	t.crossing = 0
	t.update(s.Now())
	bound := t.Limit
	if t.hot {
		bound -= t.Hysteresis
	}
	t.temperature = bound // what a nanosecond's rounding left open
	s.reslow(device, func(*station) { t.hot = !t.hot })
	s.warm(device, t)
}

// drain takes what a device has used from its battery and waits for its end.
func (s *pipeline) drain(device int, b *battery) {
	d := &s.devices[device]
	b.joules -= b.power * (s.Now() - b.since).Seconds()
	b.since = s.Now()
	b.power = b.idle
	if d.busy {
		b.power = b.active
	}
	s.Cancel(b.empty)
	b.empty = 0
	if left := b.joules / b.power; b.power > 0 && left < horizon.Seconds() {
		b.empty = s.After(time.Duration(max(left, 0)*1e9), event{kind: batteryTick, flow: int32(device)})
	}
}
