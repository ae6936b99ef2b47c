package sim

import (
	"time"

	"github.com/edgeshard/edgeshard"
)

// A ledger keeps the memory of every device: what a plan holds there from the
// start, and the KV caches of the sequences in flight.
type ledger struct {
	plan    *edgeshard.Plan
	devices []account
	used    []int // devices that run a stage, in the order of their first
	rates   *rates
	tell    func(edgeshard.Span)
	sizes   map[int][]int64 // KV cache by positions and device
}

type account struct {
	fixed, held, budget int64
	units               []int         // of the device's stages
	since               time.Duration // when held changed last
	moving              bool          // held changes: there are KV caches
}

func newLedger(p *edgeshard.Plan, r *rates, tell func(edgeshard.Span)) *ledger {
	spec := p.Spec()
	foot := spec.Footprint(&p.Workload)
	l := &ledger{plan: p, devices: make([]account, len(p.Topology.Devices)), rates: r, tell: tell, sizes: make(map[int][]int64)}
	last := p.Model.Config.Units() - 1
	for _, s := range p.Stages {
		a := &l.devices[s.Device]
		if a.units == nil {
			l.used = append(l.used, s.Device)
			a.budget = r.budget(s.Device)
			a.fixed = spec.Overhead(s.Device) + foot.Workspace() + r.draftMemory(s.Device)
		}
		for u := s.From; u < s.To; u++ {
			a.units = append(a.units, u)
			a.moving = a.moving || r.kv(s.Device, u, 1) > 0
			a.fixed += r.weights(s.Device, u) + foot.Packing(u)
		}
		if s.To > last {
			a.fixed += p.Model.Config.LogitsBytes(p.Workload.MicroBatch)
		}
		a.held = a.fixed
	}
	return l
}

// load reports as an error that the weights alone do not fit, for every device
// where they do not.
func (l *ledger) load() error {
	var first error
	for _, d := range l.used {
		a := &l.devices[d]
		if a.fixed <= a.budget {
			continue
		}
		l.tell(edgeshard.Span{What: edgeshard.OOM, Request: -1, Stage: -1, Device: d, To: -1, Bytes: a.fixed - a.budget})
		if first == nil {
			first = &edgeshard.OutOfMemory{Device: l.plan.Topology.Devices[d].Name, Need: a.fixed, Budget: a.budget}
		}
	}
	return first
}

// kv returns the KV cache of one sequence of some positions on each device.
func (l *ledger) kv(positions int) []int64 {
	if n := l.sizes[positions]; n != nil {
		return n
	}
	n := make([]int64, len(l.devices))
	for d := range l.devices {
		for _, u := range l.devices[d].units {
			n[d] += l.rates.kv(d, u, positions)
		}
	}
	l.sizes[positions] = n
	return n
}

// take lets the KV cache of a sequence grow from some positions to more, on all
// devices or on none: then it returns the first that lacks memory and how much.
func (l *ledger) take(from, to int, now time.Duration) (device int, missing int64) {
	before, after := l.kv(from), l.kv(to)
	for _, d := range l.used {
		if a := &l.devices[d]; a.held+after[d]-before[d] > a.budget {
			return d, a.held + after[d] - before[d] - a.budget
		}
	}
	for _, d := range l.used {
		l.change(d, after[d]-before[d], now)
	}
	return -1, 0
}

// give ends a sequence's KV cache of some positions.
func (l *ledger) give(positions int, now time.Duration) {
	kv := l.kv(positions)
	for _, d := range l.used {
		l.change(d, -kv[d], now)
	}
}

func (l *ledger) change(d int, bytes int64, now time.Duration) {
	if bytes == 0 {
		return
	}
	l.flush(d, now)
	l.devices[d].held += bytes
}

// flush tells how much a device has held since its last change.
func (l *ledger) flush(d int, now time.Duration) {
	a := &l.devices[d]
	if now > a.since {
		l.tell(edgeshard.Span{What: edgeshard.Memory, Request: -1, Stage: -1, Device: d, To: -1, Bytes: a.held, Start: a.since, End: now})
	}
	a.since = now
}

// close ends the account of every device.
func (l *ledger) close(now time.Duration) {
	for _, d := range l.used {
		l.flush(d, now)
	}
}

// settled reports that no device has held more than the fixed part up to now
// but for what ended just now, so that what comes does not depend on the past.
func (l *ledger) settled(now time.Duration) bool {
	for _, d := range l.used {
		if a := &l.devices[d]; a.moving && a.since != now {
			return false
		}
	}
	return true
}

// resettle makes the devices whose memory changes settled now.
func (l *ledger) resettle(now time.Duration) {
	for _, d := range l.used {
		if a := &l.devices[d]; a.moving {
			a.since = now
		}
	}
}

// since starts the account of every device at a time.
func (l *ledger) since(now time.Duration) {
	for _, d := range l.used {
		l.devices[d].since = now
	}
}
