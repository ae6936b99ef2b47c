package network

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/edgeshard/edgeshard/scenarios"
)

// work is an amount of bits·ns.
type work struct{ hi, lo uint64 }

func workOf(d time.Duration, rate int64) (w work) {
	w.hi, w.lo = bits.Mul64(uint64(d), uint64(rate))
	return w
}

func (w *work) subtract(v work) {
	var borrow uint64
	w.lo, borrow = bits.Sub64(w.lo, v.lo, 0)
	if w.hi, borrow = bits.Sub64(w.hi, v.hi, borrow); borrow != 0 {
		*w = work{}
	}
}

// time returns how long the work takes at a rate, rounded up; beyond a bound it
// is the bound.
func (w work) time(rate int64) time.Duration {
	lo, carry := bits.Add64(w.lo, uint64(rate)-1, 0)
	hi := w.hi + carry
	if hi >= uint64(rate) {
		return Never
	}
	q, _ := bits.Div64(hi, lo, uint64(rate))
	return time.Duration(min(q, uint64(Never)))
}

// retransmissions draws how much longer a message occupies its link because
// packets are lost and sent again, and how many rounds of that there are.
func (p *Port) retransmissions(m Message) (again time.Duration, rounds int) {
	packets := int((m.Bytes + scenarios.PacketBytes - 1) / scenarios.PacketBytes)
	sent := 0
	for lost := binomial(p.rng, packets, p.loss); lost > 0; lost = binomial(p.rng, lost, p.loss) {
		sent += lost
		rounds++
	}
	return time.Duration(float64(m.Occupancy) * float64(sent) / float64(max(packets, 1))), rounds
}

// binomial draws how many of n trials of probability p succeed: one by one, or
// beyond 256 of them by the normal approximation.
func binomial(rng *rand.Rand, n int, p float64) int {
	if n > 256 {
		mean := float64(n) * p
		x := math.Round(mean + math.Sqrt(mean*(1-p))*rng.NormFloat64())
		return int(min(max(x, 0), float64(n)))
	}
	k := 0
	for range n {
		if rng.Float64() < p {
			k++
		}
	}
	return k
}
