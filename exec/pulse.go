package exec

import "time"

const (
	// beatsInTimeout is how many beats go to a worker in a timeout.
	beatsInTimeout = 20
	// silentBeats is of how many the answers may be missing before it counts as
	// dead. The rest of the timeout is for the beat at which that is seen and for
	// telling of it, on a machine that has other work.
	silentBeats = 15
)

// A pulse tells a dead worker from one that lives, by the answers to beats. It is
// pure; times are by the coordinator's clock.
//
// The coordinator may itself have stood still, on a machine that is overloaded
// or was suspended: then it has heard nothing because it did not listen. Such
// time, seen by its own beats coming late, does not count as silence (as in
// Lifeguard's local health; Dadgar, Phillips, Currey, arXiv 1707.00788).
type pulse struct {
	timeout time.Duration
	heard   time.Duration // when the worker was last heard, or could have been
	ticked  time.Duration
}

func newPulse(timeout, now time.Duration) *pulse {
	return &pulse{timeout: timeout, heard: now, ticked: now}
}

// interval is the time between two beats.
func (p *pulse) interval() time.Duration { return p.timeout / beatsInTimeout }

// answer tells that the worker has answered.
func (p *pulse) answer(now time.Duration) { p.heard = max(p.heard, now) }

// silence is the longest that a worker may give no answer.
func (p *pulse) silence() time.Duration { return silentBeats * p.interval() }

// tick is called at each beat. It reports whether the worker is to count as dead.
func (p *pulse) tick(now time.Duration) (dead bool) {
	if late := now - p.ticked - p.interval(); late > p.interval() {
		p.heard = min(p.heard+late, now)
	}
	p.ticked = now
	return now-p.heard > p.silence()
}
