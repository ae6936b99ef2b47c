package solver

import (
	"fmt"

	"github.com/edgeshard/edgeshard"
)

// never is a time no plan takes: a link or a device that cannot be used. Sums of
// a few of it still fit an int64.
const never = int64(1) << 60

// longest is the most a unit or a link may take in a request, 2^46 ns (19 hours);
// what takes longer counts as never.
const longest = int64(1) << 46

// Never and Longest are the bounds of times in a problem: what takes Never cannot
// be done, and no unit, link or price exceeds Longest.
const (
	Never   = never
	Longest = longest
)

// mostUnits keeps the sum of all units, links and multipliers of a path below never.
const mostUnits = 4096

// A Problem is a partition problem in numbers: times are integer nanoseconds,
// memory is in bytes. Devices that differ in nothing form one class.
type Problem struct {
	Objective edgeshard.Objective
	Devices   []Device // in the topology's order
	Classes   []Class
	Source    int // device where requests start and tokens return; alone in its class
	Cloud     int // device of the cloud baselines
	Units     int
	Weight    []int64  // [unit] bytes it adds to a device's memory
	Links     [][]Link // [from][to] class; between two devices of one class on the diagonal
	Return    []Link   // [from] class, to the source

	// Idle is what of the first unit's Step at the source occupies no device: what
	// every pass takes there, and a Visit, which is counted by itself.
	Idle int64

	MicroBatches int   // K, in flight together
	Private      int   // leading units only the source may run, at least 1
	Pins         []int // [unit] device that must run it, or -1
	Forced       []int // devices that must run some unit
	Revisits     bool  // a device may have several stages, sharing its memory

	MaxRequest int64 // bound on the request's time, or never
	MaxLoop    int64 // bound on max(S, K·M), or never
}

// A Device is one machine.
type Device struct {
	Name  string
	Class int // -1: excluded
}

// A Class is a set of devices with equal numbers.
type Class struct {
	Members []int   // devices, ascending
	Budget  int64   // bytes a device has for units; below 0 it cannot run any
	Request []int64 // [unit] time over all passes of a request
	Step    []int64 // [unit] time of one decode pass in steady state
	Visit   int64   // that a stage occupies a device beyond its units; its cost is the hop's
}

// A Link is the time of messages on one direction of an idle link.
type Link struct {
	Request   int64 // of all messages of a request
	Step      int64 // of one decode pass in steady state
	Occupancy int64 // the part of Step in which the link is busy
	Traffic   int64 // the part of Request in which it is
}

// absent is the link that cannot be used.
var absent = Link{Request: never, Step: never, Occupancy: never}

// A Value is what a plan costs.
type Value struct {
	Request int64 // time of one request
	Loop    int64 // S, one decode pass of a micro-batch through all stages and back
	Busy    int64 // M, the busiest device's or link's time in it
}

// Round returns max(S, K·M): the time in which each of k micro-batches gets a token.
func (v Value) Round(k int) int64 { return max(v.Loop, int64(k)*v.Busy) }

// Of returns the value's part that the problem minimises: for throughput the
// round, B/Round being the tokens per nanosecond.
func (p *Problem) Of(v Value) int64 {
	if p.Objective == edgeshard.Throughput {
		return v.Round(p.MicroBatches)
	}
	return v.Request
}

// Link returns the link between two devices, the zero Link from a device to itself.
func (p *Problem) Link(from, to int) Link {
	if from == to {
		return Link{}
	}
	return p.Links[p.Devices[from].Class][p.Devices[to].Class]
}

// Class returns the class of a device that is not excluded.
func (p *Problem) Class(device int) *Class { return &p.Classes[p.Devices[device].Class] }

// Value returns what a plan costs on idle devices and links.
func (p *Problem) Value(stages []edgeshard.Stage) Value {
	var v Value
	busy := make(map[[2]int]int64)
	spend := func(key [2]int, request, step, occupied int64) {
		v.Request += request
		v.Loop += step
		busy[key] += occupied
		v.Busy = max(v.Busy, busy[key])
	}
	send := func(from, to int, l Link) { spend([2]int{from, to}, l.Request, l.Step, l.Occupancy) }
	at := p.Source
	for _, s := range stages {
		if s.Device != at {
			send(at, s.Device, p.Link(at, s.Device))
		}
		at = s.Device
		c := p.Class(at)
		request, step := sum(c.Request[s.From:s.To]), sum(c.Step[s.From:s.To])
		occupied := step + c.Visit
		if s.From == 0 {
			occupied -= p.Idle
		}
		spend([2]int{at, -1}, request, step, occupied)
	}
	if at != p.Source {
		send(at, p.Source, p.Return[p.Devices[at].Class])
	}
	return v
}

// Occupies returns how long a unit occupies a device of a class in a decode pass.
func (p *Problem) Occupies(class, unit int) int64 {
	t := p.Classes[class].Step[unit]
	if unit == 0 && class == p.Devices[p.Source].Class {
		t -= p.Idle
	}
	return t
}

// Check returns why stages are no plan of the problem, or nil.
func (p *Problem) Check(stages []edgeshard.Stage) error {
	used := make([]int64, len(p.Devices))
	visits := make([]int, len(p.Devices))
	next := 0
	for _, s := range stages {
		if s.From != next || s.To <= s.From || s.To > p.Units {
			return fmt.Errorf("units [%d, %d) do not follow unit %d", s.From, s.To, next)
		}
		next = s.To
		if s.Device < 0 || s.Device >= len(p.Devices) || p.Devices[s.Device].Class < 0 {
			return fmt.Errorf("units [%d, %d) are on a device that is not there", s.From, s.To)
		}
		visits[s.Device]++
		used[s.Device] += sum(p.Weight[s.From:s.To])
		if err := p.checkPins(s); err != nil {
			return err
		}
	}
	if next != p.Units {
		return fmt.Errorf("units [%d, %d) are on no device", next, p.Units)
	}
	return p.checkUse(stages, visits, used)
}

func (p *Problem) checkPins(s edgeshard.Stage) error {
	for u := s.From; u < s.To; u++ {
		if want := p.Pin(u); want >= 0 && want != s.Device {
			return fmt.Errorf("unit %d is on %s: must be on %s", u, p.Devices[s.Device].Name, p.Devices[want].Name)
		}
	}
	return nil
}

func (p *Problem) checkUse(stages []edgeshard.Stage, visits []int, used []int64) error {
	for d, n := range visits {
		if n == 0 {
			continue
		}
		if lack := used[d] - p.Class(d).Budget; lack > 0 {
			return &Infeasible{Reasons: []Reason{memoryReason(p.Devices[d].Name, used[d], p.Class(d).Budget)}}
		}
		if n > p.maxVisits(d) {
			return fmt.Errorf("%s has %d stages: revisits are not allowed", p.Devices[d].Name, n)
		}
	}
	for _, d := range p.Forced {
		if visits[d] == 0 {
			return fmt.Errorf("%s runs no unit: it must", p.Devices[d].Name)
		}
	}
	v := p.Value(stages)
	switch {
	case v.Request >= never || v.Loop >= never:
		return fmt.Errorf("two stages have no link between them")
	case v.Request > p.MaxRequest:
		return fmt.Errorf("a request takes %d ns: at most %d allowed", v.Request, p.MaxRequest)
	case v.Round(p.MicroBatches) > p.MaxLoop:
		return fmt.Errorf("a round takes %d ns: at most %d allowed", v.Round(p.MicroBatches), p.MaxLoop)
	}
	return nil
}

// maxVisits returns how many stages a device may have: without revisits one, and
// the source a second one where trailing units are pinned to it.
func (p *Problem) maxVisits(device int) int {
	switch {
	case p.Revisits:
		return p.Units
	case device == p.Source && p.tailPinned():
		return 2
	}
	return 1
}

// tailPinned tells whether the last unit must be at the source.
func (p *Problem) tailPinned() bool { return p.Pin(p.Units-1) == p.Source }

// Pin returns the device that must run unit u, or -1.
func (p *Problem) Pin(u int) int {
	if u < p.Private {
		return p.Source
	}
	return p.Pins[u]
}

func sum(x []int64) int64 {
	var total int64
	for _, v := range x {
		total += v
	}
	return total
}
