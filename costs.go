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
// units', exactly, so that a prediction equals a simulation to the nanosecond.
type Costs interface {
	// Compute returns the time of one unit on a device in one pass.
	Compute(device, unit int, p models.Pass) time.Duration
	// Transfer returns the time of a message on an idle link; zero where from is to.
	Transfer(from, to int, bytes int64) Transfer
}

// A Transfer is the time of a message on an idle link: the link is occupied for
// Occupancy, and the message is there Latency later.
type Transfer struct{ Occupancy, Latency time.Duration }

// Idle returns the whole time of the transfer.
func (t Transfer) Idle() time.Duration { return t.Occupancy + t.Latency }

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
	c := &costs{spec: s, devices: make([]unitTimer, len(s.Topology.Devices)), enter: make([]time.Duration, len(s.Topology.Devices))}
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
		c.devices[i] = t
		c.hop = max(c.hop, p.Hop)
		c.enter[i] = time.Duration(float64(p.Stage) * max(1, d.Slowdown))
	}
	return c, nil
}

// A unitTimer gives a unit's time in seconds on one device at full speed.
type unitTimer interface {
	seconds(unit int, p models.Pass) float64
}

type costs struct {
	spec    Spec
	devices []unitTimer
	hop     time.Duration   // software cost of a message, added to a link's latency
	enter   []time.Duration // and what a stage of the device costs beyond its units
}

var _ Costs = (*costs)(nil)

func (c *costs) Compute(device, unit int, p models.Pass) time.Duration {
	s := c.devices[device].seconds(unit, p)
	if slow := c.spec.Topology.Devices[device].Slowdown; slow > 0 {
		s *= slow
	}
	return time.Duration(math.Ceil(s*1e9 - 1e-3)) // what is above a picosecond counts as a nanosecond
}

func (c *costs) Transfer(from, to int, bytes int64) Transfer {
	if from == to {
		return Transfer{}
	}
	l := c.spec.Topology.Link(from, to)
	return Transfer{Occupancy: occupancy(bytes, l.Bandwidth), Latency: l.Latency + c.hop + c.enter[to]}
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
