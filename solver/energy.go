package solver

import (
	"fmt"
	"math"

	"github.com/edgeshard/edgeshard"
)

// With the objective Energy a problem's request figures are nanojoules: what a
// request's compute costs above the devices' idle power, and its messages by the
// byte. The step figures are then the request's times, with one micro-batch in
// flight, so that the bound on a round is one on the request's time.

// energy reports whether energy is what is minimised, and that it is known.
func (b *builder) energy(o Options) error {
	if b.p.Objective != edgeshard.Energy {
		return nil
	}
	if o.MaxRound > 0 || o.MinThroughput > 0 {
		return fmt.Errorf("solver: the objective %s takes a bound on a request's latency only", edgeshard.Energy)
	}
	for d := range b.spec.Topology.Devices {
		if t := &b.spec.Topology.Devices[d]; b.p.Devices[d].Class >= 0 && t.ActivePower <= 0 {
			return fmt.Errorf("solver: the objective %s needs every device's active_power: %s has none", edgeshard.Energy, t.Name)
		}
	}
	b.p.MicroBatches = 1
	b.p.MaxRequest, b.p.MaxLoop = never, b.p.MaxRequest
	b.p.Revisits = !o.OneVisit && b.p.MaxLoop == never
	return nil
}

// power returns the watts that a device draws more when it computes; 0 where
// that is not what is minimised.
func (b *builder) power(device int) float64 {
	if b.p.Objective != edgeshard.Energy {
		return 0
	}
	t := &b.spec.Topology.Devices[device]
	return float64(max(t.ActivePower-t.IdlePower, 0))
}

// joules turns a class's times into energies.
func (b *builder) joules(c *Class) {
	if b.p.Objective != edgeshard.Energy {
		return
	}
	watts := b.power(c.Members[0])
	c.Visit, b.p.Idle = 0, 0 // one micro-batch: no device is as busy as its loop is long
	for u, t := range c.Request {
		c.Step[u] = t
		c.Request[u] = int64(min(math.Round(float64(t)*watts), float64(longest)))
	}
}

// joulesOf turns a link's times into energies, by the bytes of a request.
func (b *builder) joulesOf(l Link, from, to int, bytes int64) Link {
	if b.p.Objective != edgeshard.Energy || l == absent {
		return l
	}
	nano := math.Round(float64(bytes) * b.spec.Topology.Link(from, to).JoulesPerByte * 1e9)
	return Link{Request: int64(min(nano, float64(longest))), Step: l.Request, Occupancy: l.Traffic, Traffic: l.Traffic}
}
