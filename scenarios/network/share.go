package network

import "math"

// A flowRate is the demand of a message on a link, and its share.
type flowRate struct {
	limit    int64 // of its own link, bits a second
	segments []int // it passes through
	rate     int64
	fixed    bool
}

// share divides the capacity of segments max-min fairly (progressive filling,
// Bertsekas and Gallager, Data Networks, 6.5.2): no rate can grow but at the
// cost of one that is no higher. Rates are whole bits a second, rounded down.
func share(flows []flowRate, capacity []int64) {
	for range flows {
		least := int64(math.MaxInt64)
		for i := range flows {
			if f := &flows[i]; !f.fixed {
				least = min(least, f.limit)
			}
		}
		segment, fair := bottleneck(flows, capacity)
		if fair < least {
			least = fair
		} else {
			segment = -1
		}
		if least == math.MaxInt64 {
			return
		}
		fix(flows, segment, least)
	}
}

// bottleneck returns the segment whose fair share is least, and the share.
func bottleneck(flows []flowRate, capacity []int64) (segment int, fair int64) {
	segment, fair = -1, math.MaxInt64
	for s, left := range capacity {
		n := int64(0)
		for i := range flows {
			switch f := &flows[i]; {
			case !f.on(s):
			case f.fixed:
				left -= f.rate
			default:
				n++
			}
		}
		if n > 0 && max(left, 0)/n < fair {
			segment, fair = s, max(left, 0)/n
		}
	}
	return segment, fair
}

// fix gives the flows of a segment, or else those that are at their own limit,
// their rate.
func fix(flows []flowRate, segment int, rate int64) {
	for i := range flows {
		f := &flows[i]
		if !f.fixed && (segment >= 0 && f.on(segment) || segment < 0 && f.limit == rate) {
			f.rate, f.fixed = rate, true
		}
	}
}

func (f *flowRate) on(segment int) bool {
	for _, s := range f.segments {
		if s == segment {
			return true
		}
	}
	return false
}
