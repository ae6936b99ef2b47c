package exec

import "time"

// A demand is how many tokens clients let generate in a minute. It says for how
// much a better plan pays where nobody knows which requests are to come.
type demand struct {
	since        time.Duration // the start of the present minute
	tokens, last int           // in it, and in the one before
}

// add takes a token into account.
func (d *demand) add(now time.Duration) {
	if d != nil {
		d.turn(now)
		d.tokens++
	}
}

func (d *demand) turn(now time.Duration) {
	switch n := (now - d.since) / time.Minute; {
	case n < 1:
		return
	case n == 1:
		d.last = d.tokens
	default:
		d.last = 0
	}
	d.tokens, d.since = 0, now.Truncate(time.Minute)
}

// minute returns the tokens of the last minute, roughly: the more of the present
// and the last.
func (d *demand) minute(now time.Duration) int {
	if d == nil {
		return 0
	}
	d.turn(now)
	return max(d.tokens, d.last)
}
