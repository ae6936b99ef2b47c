package exec

import (
	"maps"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/topologies"
)

const (
	// cutBandwidth stands for a link that carries nothing: no plan uses it that
	// has another way.
	cutBandwidth topologies.BitRate = 1000
	// strikesOut is how often a worker that lives may fail before the plan does
	// without it.
	strikesOut = 2
)

// A condition is how a cluster differs from its topology, as found while it
// runs. It is pure.
type condition struct {
	lost    map[int]bool       // devices that do not work
	strikes map[int]strike     // of devices that live but failed
	budget  map[int]int64      // bytes that a device turned out to have
	slower  map[int]float64    // by how much compute times are longer
	links   map[[2]int]float64 // part of the bandwidth that is left; 0: none
}

// A strike is a failure of a worker that lives; those of a while count together.
type strike struct {
	n    int
	last time.Duration
}

// strikeMemory is how long a strike counts.
const strikeMemory = time.Minute

func newCondition() *condition {
	return &condition{
		lost: make(map[int]bool), strikes: make(map[int]strike), budget: make(map[int]int64),
		slower: make(map[int]float64), links: make(map[[2]int]float64),
	}
}

// learn takes the end of an epoch into account, so that the next one does
// without what ended it. dead are the devices of the epoch that do not live; the
// source is never lost, since a plan cannot do without it.
func (c *condition) learn(f *failure, dead []int, source int, now time.Duration) {
	for _, d := range dead {
		c.lost[d] = d != source
	}
	switch {
	case len(dead) > 0:
	case f.blame == hearsay && f.peer >= 0:
		c.links[[2]int{f.device, f.peer}], c.links[[2]int{f.peer, f.device}] = 0, 0
	case f.need != nil && (c.budget[f.device] == 0 || f.need.GetBudget() < c.budget[f.device]):
		c.budget[f.device] = f.need.GetBudget()
	default:
		k := c.strikes[f.device]
		if now-k.last > strikeMemory {
			k.n = 0
		}
		c.strikes[f.device] = strike{k.n + 1, now}
		c.lost[f.device] = k.n+1 >= strikesOut && f.device != source
	}
}

// back takes a device in again.
func (c *condition) back(device int) {
	delete(c.lost, device)
	delete(c.strikes, device)
	delete(c.slower, device)
}

// without returns the devices that a plan must do without, in order.
func (c *condition) without() []int {
	var devices []int
	for d := range c.lost {
		if c.lost[d] {
			devices = append(devices, d)
		}
	}
	slices.Sort(devices)
	return devices
}

// job returns a plan with its topology as it is now found, to be solved for.
func (c *condition) job(p *edgeshard.Plan) (*edgeshard.Plan, error) {
	q := *p
	if len(c.budget)+len(c.slower)+len(c.links) == 0 {
		return &q, nil
	}
	t := p.Topology
	devices := slices.Clone(t.Devices)
	for d, bytes := range c.budget {
		devices[d].Usable = topologies.Bytes(bytes)
	}
	for d, f := range c.slower {
		devices[d].Slowdown = max(devices[d].Slowdown, 1) * f
	}
	links := maps.Clone(c.links)
	var err error
	q.Topology, err = topologies.New(t.Name, devices, t.Source, func(from, to int) topologies.Link {
		l := t.Link(from, to)
		if part, ok := links[[2]int{from, to}]; ok {
			l.Bandwidth = max(topologies.BitRate(float64(l.Bandwidth)*part), cutBandwidth)
		}
		return l
	})
	if err == nil {
		q.Topology.Description, q.Topology.Cloud = t.Description, t.Cloud
	}
	return &q, err
}
