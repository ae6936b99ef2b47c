package solver

import "slices"

// twins groups devices 0..n-1 so that any two of a group can change places: their
// nodes are equal, so are their links with everyone else, and so are the two
// links between them. Being so related is transitive, hence one member stands for
// its group in every comparison: O(n² · groups) at most.
func twins[N, L comparable](n int, node func(device int) N, link func(from, to int) L) [][]int {
	var groups [][]int
	byNode := make(map[N][]int) // groups whose members have that node
	for d := range n {
		key, found := node(d), false
		for _, g := range byNode[key] {
			if interchangeable(n, groups[g][0], d, link) {
				groups[g], found = append(groups[g], d), true
				break
			}
		}
		if !found {
			byNode[key] = append(byNode[key], len(groups))
			groups = append(groups, []int{d})
		}
	}
	return groups
}

func interchangeable[L comparable](n, a, b int, link func(from, to int) L) bool {
	for x := range n {
		if x == a || x == b {
			continue
		}
		if link(a, x) != link(b, x) || link(x, a) != link(x, b) {
			return false
		}
	}
	return link(a, b) == link(b, a)
}

// Apart returns the problem with each of those devices in a class of its own,
// the new classes after the others, in the devices' order.
func (p *Problem) Apart(devices []int) *Problem {
	q := *p
	q.Devices, q.Classes = slices.Clone(p.Devices), slices.Clone(p.Classes)
	var was []int // [class] of p
	for k := range p.Classes {
		was = append(was, k)
	}
	for _, d := range devices {
		k := q.Devices[d].Class
		if len(q.Classes[k].Members) == 1 {
			continue
		}
		c := q.Classes[k]
		q.Classes[k].Members = slices.DeleteFunc(slices.Clone(c.Members), func(m int) bool { return m == d })
		c.Members = []int{d}
		q.Devices[d].Class = len(q.Classes)
		q.Classes, was = append(q.Classes, c), append(was, k)
	}
	q.Links, q.Return = nil, nil
	for _, a := range was {
		row := make([]Link, len(was))
		for i, b := range was {
			row[i] = p.Links[a][b]
		}
		q.Links, q.Return = append(q.Links, row), append(q.Return, p.Return[a])
	}
	return &q
}
