package exec

import "time"

// beatsInTimeout is how many beats go to a worker in the silence after which it
// counts as dead.
const beatsInTimeout = 20

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

// tick is called at each beat. It reports whether the worker is to count as dead:
// when its silence is two beats short of the timeout.
func (p *pulse) tick(now time.Duration) (dead bool) {
	if late := now - p.ticked - p.interval(); late > p.interval() {
		p.heard = min(p.heard+late, now)
	}
	p.ticked = now
	return now-p.heard > p.timeout-2*p.interval()
}
