// Package scenarios says how the world differs from a topology's data sheet
// while a plan runs: links that contend, change and lose packets, devices that
// run hot, share memory and fail, and what is done then.
//
// The simulator follows a whole scenario; the executor replays its faults.
package scenarios

import (
	"time"

	"github.com/edgeshard/edgeshard/internal/dist"
	"github.com/edgeshard/edgeshard/topologies"
)

// A Scenario is what a scenario file says. The zero value changes nothing.
type Scenario struct {
	Seed     uint64    `toml:"seed"` // of jitter, loss and built-in traces
	Segments []Segment `toml:"segment"`
	Links    []Link    `toml:"link"`
	Devices  []Device  `toml:"device"`
	Faults   []Fault   `toml:"fault"`
	Recovery Recovery  `toml:"recovery"`

	KV           KVPolicy     `toml:"kv_policy"`
	PrefillChunk int          `toml:"prefill_chunk"` // most tokens of a prefill pass; 0: the whole prompt
	Speculative  *Speculative `toml:"speculative"`
	Compression  *Compression `toml:"compression"`
	Delivery     *Delivery    `toml:"delivery"`

	traces map[string]*Trace // by name or path, those that links and segments name
	varies bool              // links of the topology do
}

// A Segment is a medium that links share, as topologies have it.
type Segment = topologies.Segment

// A Link adds to the links between two ends: names, classes or "*". Where
// several apply, each key is the last one's that gives it.
type Link struct {
	Between []string `toml:"between"` // both directions
	From    string   `toml:"from"`    // or one
	To      string   `toml:"to"`

	HalfDuplex bool    `toml:"half_duplex"` // both directions share the bandwidth
	Trace      string  `toml:"trace"`       // bandwidth and latency over time: a built-in name or a CSV file
	Jitter     *Jitter `toml:"jitter"`      // added to the latency of each message
	// Loss is the probability that a packet of PacketBytes is lost and sent again,
	// after Retransmit (0: twice the link's latency).
	Loss       float64             `toml:"loss"`
	Retransmit topologies.Duration `toml:"retransmit"`

	// Around is the standard deviation of the latency, as the topology has it.
	Around topologies.Duration `toml:"-"`
}

// PacketBytes is the size of the packets that are lost or not: Ethernet's payload.
const PacketBytes = 1500

// Jitter is a random time.
type Jitter struct {
	Distribution string              `toml:"distribution"`
	Mean         topologies.Duration `toml:"mean"`
	CV           float64             `toml:"cv"` // coefficient of variation
}

// Dist returns the distribution, in nanoseconds.
func (j *Jitter) Dist() dist.Distribution {
	return dist.Distribution{Name: j.Distribution, Mean: float64(j.Mean), CV: j.CV}
}

// A Device adds to devices of a name, a class or "*". Where several apply, each
// key is the last one's that gives it.
type Device struct {
	Name string `toml:"name"`
	// Background is the share of the device that other work takes: every compute
	// time is divided by 1 − Background.
	Background float64 `toml:"background"`
	// Speed multiplies the speed of the device, as a power mode does; 1 if not given.
	Speed float64 `toml:"speed"`
	// Trace is the speed over time, in factors: a CSV file as for links. Its other
	// columns say nothing about a device.
	Trace string `toml:"trace"`
	// Noise multiplies each compute time, with mean 1.
	Noise   *Noise           `toml:"noise"`
	Thermal *Thermal         `toml:"thermal"`
	Battery float64          `toml:"battery_wh"` // energy after which the device dies
	Weights string           `toml:"precision"`  // of its weights, in place of the plan's
	KVBytes float64          `toml:"kv_element_bytes"`
	Memory  topologies.Bytes `toml:"usable"` // budget, in place of the topology's
}

// Noise is a random factor of mean 1.
type Noise struct {
	Distribution string  `toml:"distribution"`
	CV           float64 `toml:"cv"`
}

// Dist returns the distribution.
func (n *Noise) Dist() dist.Distribution {
	return dist.Distribution{Name: n.Distribution, Mean: 1, CV: n.CV}
}

// Thermal is a first-order thermal model: a body of Capacity joules per kelvin
// that loses (T − Ambient)/Resistance watts. At Limit the device is slowed by
// Throttle until it is Hysteresis cooler. Temperatures are in °C.
type Thermal struct {
	Ambient    float64 `toml:"ambient_c"`
	Limit      float64 `toml:"limit_c"`
	Hysteresis float64 `toml:"hysteresis_c"`
	Resistance float64 `toml:"kelvin_per_watt"`
	Capacity   float64 `toml:"joules_per_kelvin"`
	Throttle   float64 `toml:"throttle"`          // factor of compute times when too hot
	Throttled  float64 `toml:"throttled_power_w"` // active power then; 0: the active power over Throttle
}

// An Action is what a fault does.
type Action string

// The actions. A device is killed, frozen (SIGSTOP), slowed or recovers; a link
// is cut, degraded or recovers.
const (
	Kill    Action = "kill"
	Freeze  Action = "freeze"
	Slow    Action = "slow"
	Cut     Action = "cut"
	Degrade Action = "degrade"
	Recover Action = "recover"
)

// A Fault happens at a time of the run, or when it has generated that many tokens.
type Fault struct {
	At    *topologies.Duration `toml:"at"`
	Token int                  `toml:"token"`

	Device  string   `toml:"device"`  // a name; or
	Between []string `toml:"between"` // a link, both directions; or
	From    string   `toml:"from"`    // one
	To      string   `toml:"to"`

	Do     Action              `toml:"do"`
	Factor float64             `toml:"factor"` // of slow: how much slower; of degrade: the bandwidth left
	For    topologies.Duration `toml:"for"`    // then it recovers; 0: it stays
}

// A Policy is what is done when a device is found dead.
type Policy string

const (
	Fail   Policy = "fail"   // requests fail; the default
	Replan Policy = "replan" // the survivors get a new plan and go on
)

// Recovery says how a run goes on after a device's death.
type Recovery struct {
	Policy Policy `toml:"policy"`
	// Detect is the silence after which a device counts as dead; 2 s if not given.
	Detect topologies.Duration `toml:"detect"`
	Plan   topologies.Duration `toml:"plan"` // the time planning takes
	// Cached says that every survivor has all weights on disk; otherwise the units
	// that are new to it come over the link from the source.
	Cached bool `toml:"cached"`
	// Replica says that the source keeps a copy of every KV cache, to be sent;
	// otherwise the caches are computed again.
	Replica bool `toml:"replica"`
}

// DefaultDetect is the silence after which a device counts as dead.
const DefaultDetect = 2 * time.Second

// A KVPolicy says when KV cache memory is taken.
type KVPolicy string

const (
	Reserve KVPolicy = "reserve" // all a sequence may need, when it is admitted; the default
	// Grow takes it position by position. A micro-batch that finds none while
	// others hold some is preempted: it gives up its caches and computes them
	// again when there is room.
	Grow KVPolicy = "grow"
)

// Speculative is speculative decoding (Leviathan, Kalman, Matias, ICML 2023): a
// draft model on the source proposes Tokens tokens, which one pass of the plan
// verifies; each is accepted with probability Acceptance until one is not, and
// the pass yields one token more.
type Speculative struct {
	Draft      string  `toml:"draft"` // a built-in model
	Precision  string  `toml:"precision"`
	Tokens     int     `toml:"tokens"`
	Acceptance float64 `toml:"acceptance"`
}

// Compression shrinks activations on links to Factor of their bytes; the devices
// at both ends spend time on it, by the bytes before compression.
type Compression struct {
	Factor float64             `toml:"factor"`
	Encode topologies.ByteRate `toml:"encode"`
	Decode topologies.ByteRate `toml:"decode"`
}

// Delivery loads every device's weights over the network before the first pass.
type Delivery struct {
	From   string   `toml:"from"`   // the device that has them; the source if not given
	Cached []string `toml:"cached"` // names or classes that have them already
	Shared float64  `toml:"shared"` // part that every device has from another model
}
