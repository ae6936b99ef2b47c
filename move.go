package edgeshard

import "time"

const (
	// TooSlow is how many times longer than planned a device may take before it
	// counts as failing: then a better plan is looked for at once.
	TooSlow = 5
	// SlowAfter is for how long it must, in timeouts.
	SlowAfter = 0.4
	// leastGain is the part of its time that a change of plan must save, for one
	// that nothing forces: less is within what predictions are off by.
	leastGain = 0.1
)

// A Move is a change of plan to decide on. Both plans are predicted for the cluster
// as it is now known to be.
type Move struct {
	From, To Prediction
	Left     int           // tokens that requests are still to get
	Cost     time.Duration // of loading and of computing KV caches again
}

// Repays reports whether the move is made: at a request boundary where the new
// plan is clearly better, and else where what is left ends earlier by as much, all
// costs included.
func (m Move) Repays() bool {
	if m.From.Throughput <= 0 || m.To.Throughput <= 0 {
		return m.To.Throughput > 0
	}
	stay := float64(max(m.Left, 1)) / m.From.Throughput
	change := float64(max(m.Left, 1)) / m.To.Throughput
	if m.Left > 0 {
		change += m.Cost.Seconds()
	}
	return change < (1-leastGain)*stay
}
