package edgeshard

import "github.com/edgeshard/edgeshard/models"

// Footprint is the memory a workload needs of a device that runs units of a
// model: the fixed part once, if any unit is there, and each unit's own part.
type Footprint struct {
	model     models.Config
	precision models.Precision
	workload  *Workload
}

// NewFootprint returns the footprint of a workload.
func NewFootprint(m models.Config, p models.Precision, w *Workload) Footprint {
	return Footprint{model: m, precision: p, workload: w}
}

// Workspace returns the scratch memory of a device: one micro-batch's prefill at
// a time, and the logits where the head may be.
func (f Footprint) Workspace() int64 {
	return f.model.WorkspaceBytes(int64(f.workload.MicroBatch) * int64(f.workload.PromptTokens))
}

// Weights returns the weight bytes of unit u.
func (f Footprint) Weights(u int) int64 { return f.model.WeightBytes(u, f.precision) }

// KV returns the KV cache of unit u for one sequence at its full length.
func (f Footprint) KV(u int) int64 { return f.model.KVBytes(u, f.workload.Positions()) }

// Unit returns what unit u adds to a device's memory when all sequences in
// flight are at their full length: weights, KV cache, and for the head the logits.
func (f Footprint) Unit(u int) int64 {
	n := f.Weights(u) + int64(f.workload.InFlight())*f.KV(u)
	if u == f.model.Units()-1 {
		n += f.model.LogitsBytes(f.workload.MicroBatch)
	}
	return n
}

// Peaks returns the memory of each of n devices under a plan's stages; overhead
// gives a device's fixed runtime memory. A device without a stage needs none.
func (f Footprint) Peaks(stages []Stage, n int, overhead func(device int) int64) []int64 {
	peaks := make([]int64, n)
	for _, s := range stages {
		if peaks[s.Device] == 0 {
			peaks[s.Device] = overhead(s.Device) + f.Workspace()
		}
		for u := s.From; u < s.To; u++ {
			peaks[s.Device] += f.Unit(u)
		}
	}
	return peaks
}
