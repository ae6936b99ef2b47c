package solver

import (
	"math"
	"math/rand/v2"
)

// A cluster describes seeded random instances of a size: devices log-normal in
// speed at eight sites, links by the pair of sites, a slow source with room for
// three units, memory for 2 to 12 units a device.
type cluster struct {
	units, classes, members int
	distinct                bool // every unit time and link has a factor of its own
}

func (c cluster) problem(seed uint64) *Problem {
	r := rand.New(rand.NewPCG(seed, 7))
	tb := table{cloud: c.classes*c.members - 1}
	for u := range c.units {
		w := int64(1000 + 20*r.IntN(3))
		if u == 0 || u == c.units-1 {
			w = 500 + 100*int64(u/(c.units-1))
		}
		tb.weight = append(tb.weight, w)
	}
	kinds := c.kinds(r, tb.weight)
	links := siteLinks(r, kinds, c.distinct)
	class := func(d int) int { return d / c.members }
	for d := range c.classes * c.members {
		tb.request = append(tb.request, kinds[class(d)].time)
		tb.budget = append(tb.budget, kinds[class(d)].budget)
	}
	tb.link = func(a, b int) Link { return links[class(a)][class(b)] }
	tb.ret = func(a int) Link {
		x := links[class(a)][class(0)].Request / 2
		return Link{Request: x, Step: x, Occupancy: x / 4}
	}
	tb.edit = func(p *Problem) { p.Revisits = false }
	return tb.problem()
}

// A sitedKind is a kind of device at a site.
type sitedKind struct {
	site   int
	time   []int64 // of the units
	budget int64
}

func (c cluster) kinds(r *rand.Rand, weight []int64) []sitedKind {
	kinds := make([]sitedKind, c.classes)
	for k := range kinds {
		speed := math.Exp(r.NormFloat64() * .7)
		kinds[k] = sitedKind{budget: int64(1000 * (2 + 10*r.Float64())), site: r.IntN(8)}
		if k == 0 {
			speed, kinds[k].budget = 4, 3000
		}
		for _, w := range weight {
			factor := 1.0
			if c.distinct {
				factor = max(1+.15*r.NormFloat64(), .5)
			}
			kinds[k].time = append(kinds[k].time, int64(1e6*speed*float64(w)/1000*factor))
		}
	}
	return kinds
}

func siteLinks(r *rand.Rand, kinds []sitedKind, distinct bool) [][]Link {
	var between [8][8]float64
	for a := range between {
		for b := range between[a] {
			between[a][b] = 2e6 + 30e6*r.Float64()
		}
		between[a][a] = .4e6
	}
	links := make([][]Link, len(kinds))
	for a := range links {
		for b := range kinds {
			x := between[kinds[a].site][kinds[b].site]
			if distinct {
				x *= .7 + .6*r.Float64()
			}
			links[a] = append(links[a], Link{Request: int64(x), Step: int64(x), Occupancy: int64(x / 2)})
		}
	}
	return links
}

var (
	cluster64   = cluster{units: 80, classes: 64, members: 1, distinct: true}
	cluster256  = cluster{units: 128, classes: 256, members: 1, distinct: true}
	cluster1000 = cluster{units: 80, classes: 20, members: 50}
)
