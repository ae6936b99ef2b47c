package solver

import (
	"context"
	"slices"
)

// A stop is the end of a stage on a class, all units before unit covered.
type stop struct {
	charged  int64
	parent   int32
	unit     int16
	class    int16
	dropped  bool
	extended bool
}

// A covering finds the path of a coverage that is charged least, of those that
// keep to the capacities as far as memory goes: labels by units covered, as in a
// labelling. With a width it is a beam: only the cheapest go on at each place, and
// what it finds is a path but no bound.
type covering struct {
	c     *coverage
	f     *fields
	mask  [][]uint64
	room  int64 // charges at or above it are of no interest
	width int   // of a beam; 0: all go on
	most  int   // labels
	pool  shelf[stop]
	use   shelf[uint64]
	at    [][][]int32 // [unit][class] stops, cheapest first
	best  int64
	last  int32
	spare []uint64
}

func newCovering(c *coverage, m memory, room int64) *covering {
	l := &covering{c: c, f: newFields(c.g, m.remembered()), room: room, best: room, last: -1, most: 4 << 20}
	l.spare = make([]uint64, l.f.words)
	l.pool.width, l.use.width = 1, l.f.words
	l.mask = l.f.masks(m)
	for range c.g.units + 1 {
		l.at = append(l.at, make([][]int32, c.g.classes))
	}
	return l
}

// run returns whether it came to the end; then best is the least charge, or room
// where none is below it.
func (l *covering) run(ctx context.Context) bool {
	g := l.c.g
	l.open(-1, g.source, 0, 0)
	for i := 1; i <= g.units; i++ {
		for again := true; again; {
			again = false
			for k := range g.classes {
				if ctx.Err() != nil || l.pool.n > l.most {
					return false
				}
				again = l.extend(ctx, i, k) || again
			}
		}
		if l.width == 0 {
			l.at[i] = make([][]int32, g.classes)
		}
	}
	return ctx.Err() == nil
}

// extend goes on from the stops at a place, and tells whether there were new ones.
func (l *covering) extend(ctx context.Context, i, k int) bool {
	found := false
	for _, q := range slices.Clone(l.at[i][k]) {
		o := l.pool.one(q)
		if o.extended || o.dropped || ctx.Err() != nil {
			continue
		}
		o.extended, found = true, true
		if l.outrun(q) {
			continue
		}
		charged, start := o.charged, l.c.start[i]
		for _, d := range l.c.onward[k] {
			if charged+start[d] < l.room {
				l.open(q, int(d), i, charged)
			}
		}
	}
	return found
}

// outrun tells whether a stop that has covered more is as good as q in all else:
// whatever completes q completes it.
func (l *covering) outrun(q int32) bool {
	x := *l.pool.one(q)
	for i := int(x.unit) + 1; i <= l.c.g.units; i++ {
		for _, o := range l.at[i][x.class] {
			if l.pool.one(o).charged > x.charged {
				break
			}
			if l.f.within(l.used(o), l.used(q)) {
				return true
			}
		}
	}
	return false
}

func (l *covering) used(q int32) []uint64 {
	return l.use.at(q)
}

// open adds the stage of class k that starts at unit i behind stop q.
func (l *covering) open(q int32, k, i int, charged int64) {
	j := l.c.after(k, i)
	if j < 0 {
		return
	}
	if q < 0 {
		clear(l.spare)
	} else {
		use := l.used(q)
		if l.f.at[k].width > 0 && l.f.get(use, k) >= int64(l.c.g.count[k]) {
			return
		}
		for w, mask := range l.mask[k] {
			l.spare[w] = use[w] & mask
		}
	}
	x := stop{charged: charged + l.c.m[k], parent: q, unit: int16(j), class: int16(k)}
	if x.charged+l.c.end[k][j] >= l.room {
		return
	}
	l.f.add(l.spare, k, 1)
	if l.c.ends(k, j) {
		if x.charged < l.best {
			l.best, l.last = x.charged, l.store(x)
		}
		return
	}
	l.at[j][k] = l.insert(l.at[j][k], x)
}

func (l *covering) store(x stop) int32 {
	l.use.add(l.spare...)
	return l.pool.add(x)
}

// insert adds x to a list unless a stop there is as good, and drops those that x
// is as good as.
func (l *covering) insert(list []int32, x stop) []int32 {
	at := 0
	for ; at < len(list); at++ {
		if l.pool.one(list[at]).charged > x.charged {
			break
		}
		if l.f.within(l.used(list[at]), l.spare) {
			return list
		}
	}
	if l.width > 0 && at >= l.width {
		return list
	}
	kept := at
	for _, q := range list[at:] {
		if l.f.within(l.spare, l.used(q)) || l.width > 0 && kept+1 >= l.width {
			l.pool.one(q).dropped = true
			continue
		}
		list[kept] = q
		kept++
	}
	return slices.Insert(list[:kept], at, l.store(x))
}

// path returns the best path, nil where none is below the room.
func (l *covering) path() []visit {
	var path []visit
	for q := l.last; q >= 0; q = l.pool.one(q).parent {
		o, from := *l.pool.one(q), 0
		if o.parent >= 0 {
			from = int(l.pool.one(o.parent).unit)
		}
		path = append(path, visit{int(o.class), from, int(o.unit)})
	}
	slices.Reverse(path)
	return path
}
