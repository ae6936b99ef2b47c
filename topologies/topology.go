// Package topologies describes devices and the links between them.
package topologies

import (
	"slices"
	"time"
)

// A Device is one machine of a topology.
type Device struct {
	Name  string `json:"name" toml:"name"`
	Class string `json:"class,omitempty" toml:"class"` // devices of one entry with a count, or like-named, share a class

	Memory Bytes `json:"memory" toml:"memory"` // installed
	Usable Bytes `json:"usable" toml:"usable"` // budget for weights, KV cache, workspace and Overhead; at most Memory
	// Overhead is the fixed memory of the runtime itself on the device.
	Overhead Bytes `json:"overhead,omitempty" toml:"overhead"`

	FLOPS           Rate     `json:"flops,omitempty" toml:"flops"`                       // floating-point operations a second
	MemoryBandwidth ByteRate `json:"memory_bandwidth,omitempty" toml:"memory_bandwidth"` // bytes read a second
	// Slowdown multiplies every compute time of the device; 1 if not given. A
	// local worker imitates it by idling.
	Slowdown float64 `json:"slowdown,omitempty" toml:"slowdown"`

	// Cores are those of this machine that a local worker is pinned to: "0-3,6".
	Cores string `json:"cores,omitempty" toml:"cores"`

	IdlePower   Watts `json:"idle_power,omitempty" toml:"idle_power"`
	ActivePower Watts `json:"active_power,omitempty" toml:"active_power"`

	Address string `json:"address,omitempty" toml:"address"` // of its worker, host:port; none: a local process stands for it
	Profile string `json:"profile,omitempty" toml:"profile"` // measured costs: a built-in name or a file's path
}

// A Link is one direction between two devices: an idle transfer takes Latency +
// bytes/Bandwidth, of which the link is occupied for bytes/Bandwidth.
type Link struct {
	Bandwidth BitRate       `json:"bandwidth"`
	Latency   time.Duration `json:"latency"`
	// Jitter is the standard deviation of a message's latency around Latency.
	Jitter time.Duration `json:"jitter,omitempty"`
	// Trace is the bandwidth and latency over time: a built-in trace or a CSV file, as
	// in scenarios.
	Trace string `json:"trace,omitempty"`
	// JoulesPerByte is the energy that a byte on the link costs at both ends together.
	JoulesPerByte float64 `json:"joules_per_byte,omitempty"`
}

// Varies reports whether the link's times are not always the same.
func (l Link) Varies() bool { return l.Jitter > 0 || l.Trace != "" }

// A Segment is a medium that links share, such as a Wi-Fi cell or an uplink. Its
// capacity is divided max-min fairly between the messages that are on it; a
// message between two of its devices is on it once.
type Segment struct {
	Name     string  `json:"name,omitempty" toml:"name"`
	Capacity BitRate `json:"capacity" toml:"capacity"`
	Trace    string  `json:"trace,omitempty" toml:"trace"`
	// Devices are names, classes or "*": links that start or end there are on the
	// segment. Between, if given, are the two ends of the links that are.
	Devices []string `json:"devices,omitempty" toml:"devices"`
	Between []string `json:"between,omitempty" toml:"between"`
}

// A Topology is a set of devices, fully connected by directed links.
// Devices are unique by name; indices into Devices identify them elsewhere.
type Topology struct {
	Name        string
	Description string
	Source      int // where requests start and their tokens return
	Cloud       int // the server of the cloud baselines
	Devices     []Device
	// MeasuredLinks is the file of a link profile whose links replace those below;
	// who loads profiles sees to that.
	MeasuredLinks string
	Segments      []Segment

	links linkTable
}

// Link returns the link from one device to another. A device's link to itself
// is instantaneous: the zero Link.
func (t *Topology) Link(from, to int) Link { return t.links.at(from, to) }

// Varies reports whether links share segments, or their times vary.
func (t *Topology) Varies() bool {
	return len(t.Segments) > 0 || slices.ContainsFunc(t.links.rules, func(r rule) bool { return r.link().Varies() })
}

// Traces returns the traces that links and segments name, each once.
func (t *Topology) Traces() []string {
	var names []string
	for i := range t.links.rules {
		names = append(names, t.links.rules[i].Trace)
	}
	for i := range t.Segments {
		names = append(names, t.Segments[i].Trace)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" })
}

// Index returns the device of that name.
func (t *Topology) Index(name string) (int, bool) {
	for i := range t.Devices {
		if t.Devices[i].Name == name {
			return i, true
		}
	}
	return -1, false
}
