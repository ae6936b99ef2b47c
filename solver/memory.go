package solver

import (
	"cmp"
	"slices"
)

// memory says which classes' use a path remembers while it is on a class: the
// neighbourhood sets of the ng-route relaxation (Baldacci, Mingozzi, Roberti,
// Operations Research 59(5), 2011). Remembering everything is the exact problem.
type memory [][]bool // [at][class]

func newMemory(classes int) memory {
	m := make(memory, classes)
	for k := range m {
		m[k] = make([]bool, classes)
	}
	return m
}

// fill makes every class remember all.
func (m memory) fill() {
	for _, row := range m {
		for k := range row {
			row[k] = true
		}
	}
}

func (m memory) clone() memory {
	c := make(memory, len(m))
	for k := range m {
		c[k] = slices.Clone(m[k])
	}
	return c
}

// remembered returns the classes that some class remembers.
func (m memory) remembered() []bool {
	any := make([]bool, len(m))
	for _, row := range m {
		for k, is := range row {
			any[k] = any[k] || is
		}
	}
	return any
}

// tedious is how many labels a search makes before it considers remembering all.
const tedious = 1 << 17

// small tells whether what can have been used of shared memory has so few states
// that remembering all of it takes one labelling.
func (s *search) small() bool {
	if !s.g.shared {
		return false
	}
	least := never
	for u := range s.g.units {
		least = min(least, max(s.g.use(u, u+1), 1))
	}
	states := int64(1)
	for k := range s.g.classes {
		states *= min(s.g.capacity(k)/least, int64(s.g.units)) + 1
		if states > 1<<23 {
			return false
		}
	}
	return true
}

func (s *search) rememberAll() {
	s.all = true
	s.memory.fill()
}

// expect remembers at each class those priced classes that are cheapest to go to
// and come back from, fewer than it will take, so that the first labellings need
// not find them one by one.
func (s *search) expect() {
	for k := range s.memory {
		var near []hopBound
		for c, price := range s.m {
			if c == k || price == 0 {
				continue
			}
			if trip := s.g.hop[k][c] + s.g.hop[c][k]; trip < never {
				near = append(near, hopBound{c, trip - price})
			}
		}
		slices.SortFunc(near, func(a, b hopBound) int { return cmp.Compare(a.bound, b.bound) })
		for _, h := range near[:min(len(near), expected)] {
			s.memory[k][h.class] = true
		}
	}
}

// crowded returns the classes that a path visits more often than they have devices.
func (s *search) crowded(path []visit) []int {
	var crowded []int
	visits := make([]int, s.g.classes)
	for _, v := range path {
		if visits[v.class]++; visits[v.class] == s.g.count[v.class]+1 && s.g.count[v.class] > 1 {
			crowded = append(crowded, v.class)
		}
	}
	return crowded
}

// learn makes the classes between visits to an overused class remember it. It
// returns whether that is news.
func (m memory) learn(g *graph, path []visit) bool {
	grew := false
	for k, n := range g.used(path) {
		if n > g.capacity(k) && m.learnClass(g, path, k) {
			grew = true
		}
	}
	return grew
}

// learnClass remembers class k along each shortest part of the path that overuses it.
func (m memory) learnClass(g *graph, path []visit, k int) bool {
	grew, first, used := false, 0, int64(0)
	for last, v := range path {
		if v.class != k {
			continue
		}
		used += g.use(v.from, v.to)
		for used > g.capacity(k) {
			for _, w := range path[first:last] {
				if !m[w.class][k] {
					m[w.class][k], grew = true, true
				}
			}
			if path[first].class == k {
				used -= g.use(path[first].from, path[first].to)
			}
			first++
		}
	}
	return grew
}

// expected is how many classes a class remembers before any path is known.
const expected = 3
