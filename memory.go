package edgeshard

import "github.com/edgeshard/edgeshard/models"

// Footprint is the memory a workload needs of a device that runs units of a
// model: the fixed part once, if any unit is there, and each unit's own part.
type Footprint struct {
	model     models.Config
	precision models.Precision
	workload  *Workload
	packing   float64 // of what lies in memory as it is packed, see Profile
}

// NewFootprint returns the footprint of a workload.
func NewFootprint(m models.Config, p models.Precision, w *Workload) Footprint {
	return Footprint{model: m, precision: p, workload: w}
}

// Footprint returns the footprint of a workload on the spec's devices: with as much
// for packing as that of its profiles says that has the most.
func (s Spec) Footprint(w *Workload) Footprint {
	f := NewFootprint(s.Model, s.Precision, w)
	for _, p := range s.Profiles {
		f.packing = max(f.packing, p.Packing)
	}
	return f
}

// Workspace returns the scratch memory of a device: one micro-batch's prefill at
// a time, and the logits where the head may be.
func (f Footprint) Workspace() int64 {
	return f.model.WorkspaceBytes(int64(f.workload.MicroBatch) * int64(f.workload.PromptTokens))
}

// Weights returns the weight bytes of unit u.
func (f Footprint) Weights(u int) int64 { return f.model.WeightBytes(u, f.precision) }

// Packing returns what unit u takes beyond its weights once it is loaded. The
// embedding stays as it is in its file, and the head is one matrix: it fills the
// pages that it lies on.
func (f Footprint) Packing(u int) int64 {
	if u == 0 || u == f.model.Units()-1 {
		return 0
	}
	return int64(f.packing * float64(f.Weights(u)))
}

// KV returns the KV cache of unit u for one sequence at its full length.
func (f Footprint) KV(u int) int64 { return f.model.KVBytes(u, f.workload.Positions()) }

// Unit returns what unit u adds to a device's memory when all sequences in
// flight are at their full length: weights, KV cache, and for the head the logits.
func (f Footprint) Unit(u int) int64 {
	n := f.Weights(u) + int64(f.workload.InFlight())*f.KV(u)
	n += f.Packing(u)
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
