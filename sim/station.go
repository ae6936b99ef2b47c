package sim

import (
	"math"
	"time"

	"github.com/edgeshard/edgeshard/internal/dist"
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
