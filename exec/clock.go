package exec

import "sync"

// clockSamples is how many recent handshakes a clock goes by.
const clockSamples = 8

// A clock relates a worker's monotonic clock to the coordinator's, by the clock
// filter of NTP (RFC 5905, section 10): of the last handshakes the one with the
// shortest round trip counts, and half of that is what may be wrong.
type clock struct {
	mu      sync.Mutex
	samples [clockSamples]handshake
	n       int
}

// A handshake's round trip and offset are in ns.
type handshake struct{ roundTrip, offset int64 }

// add takes a handshake into account: sent and received are by the coordinator's
// clock, remote is the worker's in between.
func (c *clock) add(sent, received, remote int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.samples[c.n%clockSamples] = handshake{received - sent, remote - (sent+received)/2}
	c.n++
}

// offset returns how far the worker's clock is ahead of the coordinator's, and
// the uncertainty of that; both 0 before the first handshake.
func (c *clock) offset() (offset, uncertainty int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == 0 {
		return 0, 0
	}
	best := c.samples[0]
	for _, s := range c.samples[:min(c.n, clockSamples)] {
		if s.roundTrip < best.roundTrip {
			best = s
		}
	}
	return best.offset, best.roundTrip / 2
}
