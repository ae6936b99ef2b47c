package exec

import "time"

const (
	// beatsInTimeout is how many beats go to a worker in a timeout.
	beatsInTimeout = 20
	// silentBeats is of how many the answers may be missing before it counts as
	// dead. The rest of the timeout is for the beat at which that is seen and for
	// telling of it, on a machine that has other work.
	silentBeats = 15
	// excusedBeats is how many ticks more a silence may last because ticks came late.
	excusedBeats = 1
	// wakingBeats is how many ticks there are at least for what has come meanwhile
	// to be heard, after the listener stood still for half of a silence or longer.
	wakingBeats = 4
	// freshBeats is how old a sign of life may be, in ticks, that stands for a beat,
	// and mostSpared how many beats in a row others may stand for.
	freshBeats, mostSpared = 2, 4
)

// A pulse tells the dead from those that live, by what is heard of them. It is
// pure; times are by the clock of who listens.
//
// The listener may itself have stood still, on a machine that is overloaded or
// was suspended: then it has heard nothing because it did not listen. That is
// seen by its own ticks coming late (as in Lifeguard's local health; Dadgar,
// Phillips, Currey, arXiv 1707.00788). A short standstill excuses little: who
// lives was heard just before it, and is again just after. What is excused in
// all is bounded, so that a death is known in time on a busy machine, too.
type pulse struct {
	interval time.Duration // between two ticks
	silence  time.Duration // the longest for which nothing may be heard
	heard    time.Duration // when something was
	ticked   time.Duration
	excused  time.Duration // of the silence since
	waking   time.Duration // until when a standstill excuses everything
}

// newPulse returns the pulse of a worker that the coordinator sends beats to.
func newPulse(timeout, now time.Duration) *pulse {
	return &pulse{interval: timeout / beatsInTimeout, silence: silence(timeout), heard: now, ticked: now}
}

// silence is for how long nothing may be heard of a worker.
func silence(timeout time.Duration) time.Duration { return silentBeats * (timeout / beatsInTimeout) }

// answer tells that something has been heard.
func (p *pulse) answer(now time.Duration) { p.heard, p.excused = max(p.heard, now), 0 }

// tick is called at each interval. It reports whether the other is to count as dead.
func (p *pulse) tick(now time.Duration) (dead bool) {
	late := now - p.ticked - p.interval
	p.ticked = now
	if late > p.interval {
		p.excused = min(p.excused+late, excusedBeats*p.interval)
	}
	if late > p.silence/2 {
		p.waking = now + wakingBeats*p.interval
	}
	return now-p.heard-p.excused > p.silence && now > p.waking
}
