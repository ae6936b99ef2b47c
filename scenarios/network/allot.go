package network

import (
	"time"

	"github.com/edgeshard/edgeshard/scenarios"
)

// progress brings the work of the messages under way up to now.
func (n *Network) progress(now time.Duration) {
	d := now - n.since
	if d <= 0 {
		return
	}
	n.since = now
	for _, p := range n.ports {
		if p.busy {
			p.left.subtract(workOf(d, p.rate))
		}
	}
}

// reschedule shares the bandwidth among the messages under way, and sets next to
// the first that ends or to the first change of a trace.
func (n *Network) reschedule() {
	n.next = n.allot()
	for _, p := range n.active {
		if p.left == (work{}) {
			n.next = n.since
		} else if p.rate > 0 {
			n.next = min(n.next, n.since+p.left.time(p.rate))
		}
	}
}

// allot gives every message under way its rate, and returns when a trace of
// theirs changes.
func (n *Network) allot() (until time.Duration) {
	until = Never
	n.capacity, n.rates, n.active = n.capacity[:0], n.rates[:0], n.active[:0]
	at := func(t *scenarios.Trace, nominal int64) int64 {
		if t == nil {
			return nominal
		}
		point, change := t.At(n.since)
		until = min(until, change)
		return point.Rate(nominal)
	}
	for _, p := range n.ports {
		if p.busy {
			limit := int64(float64(at(p.trace, p.bandwidth)) * p.factor)
			n.rates = append(n.rates, flowRate{limit: limit, segments: p.segments})
			n.active = append(n.active, p)
		}
	}
	if len(n.active) == 0 {
		return Never
	}
	for _, m := range n.segments {
		n.capacity = append(n.capacity, at(m.trace, m.capacity))
	}
	share(n.rates, n.capacity)
	for i, p := range n.active {
		p.rate = n.rates[i].rate
	}
	return until
}
