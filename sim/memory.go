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
	tell    func(edgeshard.Span)
	sizes   map[int][]int64 // KV cache by positions and device
}

type account struct {
	fixed, held, budget int64
	blocks              []int         // units of the device's stages
	since               time.Duration // when held changed last
	moving              bool          // held has changed
}

func newLedger(p *edgeshard.Plan, tell func(edgeshard.Span)) *ledger {
	spec := p.Spec()
	l := &ledger{plan: p, devices: make([]account, len(p.Topology.Devices)), tell: tell, sizes: make(map[int][]int64)}
	footprint := p.Footprint()
	for _, s := range p.Stages {
		a := &l.devices[s.Device]
		if a.blocks == nil {
			l.used = append(l.used, s.Device)
			a.budget = spec.Budget(s.Device)
			a.fixed = spec.Overhead(s.Device) + footprint.Workspace()
		}
		for u := s.From; u < s.To; u++ {
			a.blocks = append(a.blocks, u)
			a.fixed += footprint.Unit(u) - int64(p.Workload.InFlight())*footprint.KV(u)
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

// kv returns the KV cache of one sequence on each device.
func (l *ledger) kv(r edgeshard.Request) []int64 {
	positions := r.Prompt + r.Tokens
	if n := l.sizes[positions]; n != nil {
		return n
	}
	n := make([]int64, len(l.devices))
	for d := range l.devices {
		for _, u := range l.devices[d].blocks {
			n[d] += l.plan.Model.Config.KVBytes(u, positions)
		}
	}
	l.sizes[positions] = n
	return n
}

// reserve takes the KV cache of a sequence on all devices, or on none: then it
// returns the first device that lacks memory and how much.
func (l *ledger) reserve(r edgeshard.Request, now time.Duration) (device int, missing int64) {
	kv := l.kv(r)
	for _, d := range l.used {
		if a := &l.devices[d]; a.held+kv[d] > a.budget {
			return d, a.held + kv[d] - a.budget
		}
	}
	for _, d := range l.used {
		l.change(d, kv[d], now)
	}
	return -1, 0
}

// release gives back what reserve took.
func (l *ledger) release(r edgeshard.Request, now time.Duration) {
	kv := l.kv(r)
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
	l.devices[d].moving = true
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
