package solver

import "slices"

// A coverage is a graph of which only the limits on single stages and links
// matter, not what a path costs: can classes, one after another, run all units?
// Each stage then reaches as far as it can, since starting later never makes one
// end earlier, and a path is its sequence of classes. Where the stages before have
// taken all that a class could run, the class passes on and runs nothing. Visits
// are priced as in a relaxation; a path within the capacities is charged at most
// what is given back, so where each is charged more there is none.
type coverage struct {
	g      *graph
	m      multipliers // all above 0
	back   int64
	tables           // what completing a path is charged at least, the stage's visit included
	passes [][]int32 // [unit] the classes that pass on there
	past   []int     // [class] the first unit at which it may pass on
	next   [][]int32 // [class][unit] the class after
	onward [][]int32 // [class] the classes that it leads to
	order  []int32   // classes, cheapest start first at the unit looked at
}

func newCoverage(g *graph) *coverage {
	c := &coverage{g: g, tables: newTables(g), next: grid[int32](g.classes, g.units+1), passes: make([][]int32, g.units+1)}
	for k := range g.classes {
		first, onward := g.units+1, []int32(nil)
		for i := g.units - 1; i > 0; i-- {
			if int(g.reach[k][i]) > i {
				first = i + 1
			}
		}
		for d, x := range g.hop[k] {
			if x < never {
				onward = append(onward, int32(d))
			}
		}
		c.past, c.onward, c.order = append(c.past, first), append(c.onward, onward), append(c.order, int32(k))
		for i := first; i <= g.units; i++ {
			if c.after(k, i) == i {
				c.passes[i] = append(c.passes[i], int32(k))
			}
		}
	}
	return c
}

// after returns where a stage ends that starts at unit i on class k; i where it
// passes on, and -1 where it cannot.
func (c *coverage) after(k, i int) int {
	if i < c.g.units && int(c.g.reach[k][i]) > i {
		return int(c.g.reach[k][i])
	}
	if i >= c.past[k] {
		return i
	}
	return -1
}

// solve computes the tables for multipliers and returns what a path is charged at
// least, never where there is none.
func (c *coverage) solve(m multipliers) int64 {
	c.m, c.back = m, 0
	for k, price := range m {
		c.back += price * int64(c.g.count[k])
	}
	for i := c.g.units; i >= 0; i-- {
		c.starts(i)
		row := c.start[i]
		for k := range c.end {
			c.end[k][i] = never
			if c.ends(k, i) {
				c.end[k][i] = 0
			} else if c.next[k][i] = c.cheapest(k, row); c.next[k][i] >= 0 {
				c.end[k][i] = row[c.next[k][i]]
			}
		}
	}
	return c.start[0][c.g.source]
}

// ends tells whether a path may end on class k with all units before i covered.
func (c *coverage) ends(k, i int) bool { return i == c.g.units && c.g.ret[k] < never }

// starts computes start[i]; the classes that pass on follow from the others.
func (c *coverage) starts(i int) {
	row := c.start[i]
	for k := range row {
		row[k] = never
		if j := c.after(k, i); j > i && c.end[k][j] < never {
			row[k] = c.m[k] + c.end[k][j]
		} else if j == i && c.ends(k, i) {
			row[k] = c.m[k]
		}
	}
	c.sort(row)
	for again := len(c.passes[i]) > 0; again; {
		again = false
		for _, k := range c.passes[i] {
			if d := c.cheapest(int(k), row); d >= 0 && c.m[k]+row[d] < row[k] {
				row[k], again = c.m[k]+row[d], true
			}
		}
		c.sort(row)
	}
}

// sort puts the classes in the order of a row, from one that is nearly right.
func (c *coverage) sort(row []int64) {
	for n, k := range c.order {
		x := row[k]
		for ; n > 0 && row[c.order[n-1]] > x; n-- {
			c.order[n] = c.order[n-1]
		}
		c.order[n] = k
	}
}

// cheapest returns the class that class k leads to with the cheapest start, or -1.
func (c *coverage) cheapest(k int, row []int64) int32 {
	for _, d := range c.order {
		if row[d] >= never {
			break
		}
		if c.g.hop[k][d] < never {
			return d
		}
	}
	return -1
}

// path returns the cheapest path; stages that pass on have no units.
func (c *coverage) path() []visit {
	var path []visit
	for i, k := 0, c.g.source; ; {
		j := c.after(k, i)
		path = append(path, visit{k, i, j})
		if c.ends(k, j) {
			return path
		}
		i, k = j, int(c.next[k][j])
	}
}

// worths returns prices to begin with: the most units that a device can run. They
// show all that counting can: that devices together cannot run enough.
func (c *coverage) worths() multipliers {
	m := make(multipliers, c.g.classes)
	for k, reach := range c.g.reach {
		most := 0
		for i, j := range reach {
			most = max(most, int(j)-i)
		}
		m[k] = int64(most)<<24 + 1
	}
	m[c.g.source] = 1 // every path has it: a price there shows nothing
	return m
}

// raise makes the classes of a path dearer in proportion to how often it visits
// them, so that in time paths are charged more of what is given back (multiplicative
// weights: Plotkin, Shmoys and Tardos, Mathematics of Operations Research 20, 1995).
func (c *coverage) raise(m multipliers, path []visit, scale float64) {
	for k, used := range c.g.used(path) {
		if k != c.g.source {
			m[k] += int64(scale * float64(m[k]) * float64(used) / float64(c.g.count[k]))
		}
	}
	for slices.Max(m) > longest>>8 {
		for k := range m {
			m[k] = m[k]>>1 + 1
		}
	}
}

// refine moves prices along the gradient of the share that a path is charged,
// towards somewhat above it or just above all: slower, but it comes nearer.
func (c *coverage) refine(m multipliers, path []visit, least int64, scale float64) {
	share, norm := float64(least)/float64(c.back), 0.0
	slope := make([]float64, len(m))
	for k, used := range c.g.used(path) {
		if k == c.g.source {
			continue
		}
		slope[k] = float64(used) - share*float64(c.g.count[k])
		if slope[k] > 0 || m[k] > 1 {
			norm += slope[k] * slope[k]
		}
	}
	length := scale * (min(share*1.05, 1.01) - share) * float64(c.back) / max(norm, 1e-9)
	for k := range m {
		m[k] = max(1, min(m[k]+int64(length*slope[k]), longest>>8))
	}
}

// keeps tells whether a path visits no class more often than it has devices.
func (g *graph) keeps(path []visit) bool {
	left := slices.Clone(g.count)
	for _, v := range path {
		if left[v.class]--; left[v.class] < 0 {
			return false
		}
	}
	return true
}
