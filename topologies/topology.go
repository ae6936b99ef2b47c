// Package topologies describes devices and the links between them.
package topologies

import "time"

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
	// JoulesPerByte is the energy that a byte on the link costs at both ends together.
	JoulesPerByte float64 `json:"joules_per_byte,omitempty"`
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

	links linkTable
}

// Link returns the link from one device to another. A device's link to itself
// is instantaneous: the zero Link.
func (t *Topology) Link(from, to int) Link { return t.links.at(from, to) }

// Index returns the device of that name.
func (t *Topology) Index(name string) (int, bool) {
	for i := range t.Devices {
		if t.Devices[i].Name == name {
			return i, true
		}
	}
	return -1, false
}
