package solver

import (
	"math/big"
	"slices"
)

// These return a problem in which something is otherwise. None changes the
// problem it is asked of.

// withBudget changes the memory of one device.
func (p *Problem) withBudget(device int, budget int64) *Problem {
	q := p.Apart([]int{device})
	q.Class(device).Budget = budget
	return q
}

// withSpeed multiplies the compute times of a device's whole class by num/den.
func (p *Problem) withSpeed(device int, num, den int64) *Problem {
	q := p.bounded()
	q.Classes = slices.Clone(p.Classes)
	c := q.Class(device)
	c.Request, c.Step = slices.Clone(c.Request), slices.Clone(c.Step)
	for u := range c.Request {
		c.Request[u], c.Step[u] = ratio(c.Request[u], num, den), ratio(c.Step[u], num, den)
	}
	c.Visit = ratio(c.Visit, num, den)
	if device == p.Source {
		q.Idle = ratio(p.Idle, num, den)
	}
	return q
}

// withLink multiplies the bandwidth of the link from one device to another by
// num/den; to is the source for a return, whose messages take the same link.
func (p *Problem) withLink(from, to int, num, den int64) *Problem {
	q := p.bounded()
	q.Links, q.Return = slices.Clone(p.Links), slices.Clone(p.Return)
	a, b := p.Devices[from].Class, p.Devices[to].Class
	q.Links[a] = slices.Clone(p.Links[a])
	q.Links[a][b] = p.Links[a][b].faster(num, den)
	if to == p.Source {
		q.Return[a] = p.Return[a].faster(num, den)
	}
	return q
}

// faster returns the link with num/den of its bandwidth.
func (l Link) faster(num, den int64) Link {
	if l.Request >= never {
		return l
	}
	traffic, occupancy := ratio(l.Traffic, den, num), ratio(l.Occupancy, den, num)
	return Link{Request: l.Request - l.Traffic + traffic, Step: l.Step - l.Occupancy + occupancy, Occupancy: occupancy, Traffic: traffic}
}

// withFreeLinks makes the links from and to a device take no time.
func (p *Problem) withFreeLinks(device int) *Problem {
	q := p.Apart([]int{device})
	k := q.Devices[device].Class
	q.Links = slices.Clone(q.Links)
	for a := range q.Links {
		q.Links[a] = slices.Clone(q.Links[a])
		q.Links[a][k] = Link{}
		if a == k {
			clear(q.Links[a])
		}
	}
	q.Return = slices.Clone(q.Return)
	q.Return[k] = Link{}
	return q
}

// ratio returns ⌈x·num/den⌉, at most longest.
func ratio(x, num, den int64) int64 {
	n := new(big.Int).Mul(big.NewInt(x), big.NewInt(num))
	n.Add(n, big.NewInt(den-1)).Quo(n, big.NewInt(den))
	if !n.IsInt64() {
		return longest
	}
	return min(n.Int64(), longest)
}
