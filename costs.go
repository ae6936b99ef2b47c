package edgeshard

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// Costs joins the work of a model with the rates of a topology. The solver and
// the simulator draw on the same value. A stage's compute time is the sum of its
// units' and Stage, exactly, so that a prediction equals a simulation to the
// nanosecond.
type Costs interface {
	// Compute returns the time of one unit on a device in one pass.
	Compute(device, unit int, p models.Pass) time.Duration
	// Stage returns what a pass costs a stage on a device beyond its units.
	Stage(device int) time.Duration
	// Turn returns what passes cost at the source, whatever the stages.
	Turn() Turn
	// Transfer returns the time of a message on an idle link; zero where from is to.
	Transfer(from, to int, bytes int64) Transfer
}

// A Transfer is the time of a message on an idle link: the link is occupied for
// Occupancy, and the message is there Latency later.
type Transfer struct{ Occupancy, Latency time.Duration }

// Idle returns the whole time of the transfer.
func (t Transfer) Idle() time.Duration { return t.Occupancy + t.Latency }

// A Turn is the software's part in a pass before its first stage and after its
// last; it occupies neither device nor link.
type Turn struct {
	Enter  time.Duration // from the coordinator's decision to let the pass in until the source takes it up
	Token  time.Duration // from the tokens at the source until the coordinator has them
	Onward time.Duration // from the tokens at the source until it takes up the next pass, where it goes on by itself
}

// First returns what the turn adds to a pass that the coordinator lets in and waits
// for.
func (t Turn) First() time.Duration { return t.Enter + t.Token }

// Next returns what it adds to each further pass of a micro-batch: in a workload
// that goes Onward no pass waits for the coordinator.
func (t Turn) Next(w *Workload) time.Duration {
	if w.Onward() {
		return t.Onward
	}
	return t.First()
}

// Spec is what costs are drawn from.
type Spec struct {
	Model     models.Config
	Precision models.Precision
	Topology  *topologies.Topology
	Profiles  map[string]*Profile // by the devices' profile names
}

// NewCosts returns the costs of a spec: a device with a profile takes its
// measured times, one without the roofline of its data sheet.
func NewCosts(s Spec) (Costs, error) {
	n := len(s.Topology.Devices)
	c := &costs{spec: s, devices: make([]unitTimer, n), software: make([]Software, n), factor: 1}
	measured := make([]bool, n)
	for i := range s.Topology.Devices {
		d := &s.Topology.Devices[i]
		roof := &roofline{model: s.Model, precision: s.Precision, device: d}
		if d.Profile == "" {
			if !(d.FLOPS > 0 && d.MemoryBandwidth > 0) {
				return nil, fmt.Errorf("device %s has neither a profile nor flops and memory_bandwidth", d.Name)
			}
			c.devices[i] = roof
			continue
		}
		p, ok := s.Profiles[d.Profile]
		if !ok {
			return nil, fmt.Errorf("device %s: profile %q is not among those given", d.Name, d.Profile)
		}
		t, err := p.timer(s.Model, roof)
		if err != nil {
			return nil, fmt.Errorf("device %s: %w", d.Name, err)
		}
		c.devices[i], c.software[i], measured[i] = t, p.Software, true
		if n == 1 && p.Alone > 0 {
			c.factor = p.Alone
		}
	}
	c.guessHops(measured)
	return c, nil
}

// guessHops gives devices without a profile the messages of the slowest that has one.
func (c *costs) guessHops(measured []bool) {
	var most Software
	for _, s := range c.software {
		most.Hop, most.HopByte = max(most.Hop, s.Hop), max(most.HopByte, s.HopByte)
	}
	for i := range c.software {
		if !measured[i] {
			c.software[i].Hop, c.software[i].HopByte = most.Hop, most.HopByte
		}
	}
}

// A unitTimer gives a unit's time in seconds on one device at full speed.
type unitTimer interface {
	seconds(unit int, p models.Pass) float64
}

type costs struct {
	spec     Spec
	devices  []unitTimer
	software []Software // by device
	factor   float64    // of all computing: Profile.Alone where there is one device
}

var _ Costs = (*costs)(nil)

func (c *costs) Compute(device, unit int, p models.Pass) time.Duration {
	s := c.factor * c.devices[device].seconds(unit, p)
	if slow := c.spec.Topology.Devices[device].Slowdown; slow > 0 {
		s *= slow
	}
	return time.Duration(math.Ceil(s*1e9 - 1e-3)) // what is above a picosecond counts as a nanosecond
}

func (c *costs) Stage(device int) time.Duration {
	return time.Duration(c.factor * float64(c.software[device].Stage) * max(1, c.spec.Topology.Devices[device].Slowdown))
}

func (c *costs) Turn() Turn {
	s := &c.software[c.spec.Topology.Source]
	return Turn{Enter: s.Enter, Token: s.Token, Onward: s.Onward}
}

func (c *costs) Transfer(from, to int, bytes int64) Transfer {
	if from == to {
		return Transfer{}
	}
	l := c.spec.Topology.Link(from, to)
	return Transfer{Occupancy: occupancy(bytes, l.Bandwidth), Latency: l.Latency + c.hop(from, to, bytes)}
}

// hop returns the software's cost of a message, half of it at either end.
func (c *costs) hop(from, to int, bytes int64) time.Duration {
	a, b := &c.software[from], &c.software[to]
	return (a.Hop+b.Hop)/2 + time.Duration((a.HopByte+b.HopByte)/2*float64(bytes))
}

// occupancy returns ⌈8·10⁹·bytes/bandwidth⌉ ns, without overflow.
func occupancy(bytes int64, bandwidth topologies.BitRate) time.Duration {
	if bandwidth <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(bytes), 8e9)
	lo, carry := bits.Add64(lo, uint64(bandwidth)-1, 0)
	if hi += carry; hi >= uint64(bandwidth) {
		return math.MaxInt64 / 4
	}
	q, _ := bits.Div64(hi, lo, uint64(bandwidth))
	return time.Duration(min(q, math.MaxInt64/4))
}

// roofline is max(FLOPs/rate, bytes/memory bandwidth) of a data sheet
// (Williams, Waterman, Patterson, CACM 52(4), 2009).
type roofline struct {
	model     models.Config
	precision models.Precision
	device    *topologies.Device
}

func (r *roofline) seconds(u int, p models.Pass) float64 {
	read := float64(r.model.ReadBytes(u, r.precision, p)) / float64(r.device.MemoryBandwidth)
	return max(r.computeSeconds(u, p), read)
}

func (r *roofline) computeSeconds(u int, p models.Pass) float64 {
	if r.device.FLOPS <= 0 {
		return 0
	}
	return float64(r.model.FLOPs(u, p)) / float64(r.device.FLOPS)
}
