package solver

import (
	"context"
	"math"
	"slices"
)

// A label is a partial path: at the start of a stage on a class, or at its end.
type label struct {
	cost   int64 // priced, up to here
	plain  int64 // without prices
	extra  int64
	parent int32
	unit   int16
	class  int16
	forced uint32 // forced classes visited
}

// A labelling finds the cheapest path of the ng-route relaxation, layer by layer,
// leaving out what the tables of a relaxation show to end at or above the cutoff.
// It compares paths by their priced cost, whose least is a bound that multipliers
// can raise; or by their plain cost, whose least is the optimum itself once
// enough is remembered. Plainly, one label is as good as another only where it is
// so in both costs: the priced one decides which labels are left out.
type labelling struct {
	plain   bool
	g       *graph
	r       *relaxation // priced
	ahead   tables      // what completing a path is charged at least
	behind  tables      // what the labels kept were charged at least
	x       *relaxation // of the extra cost; nil where that is not bounded
	f       *fields
	mask    [][]uint64 // [class] the fields remembered there
	room    int64      // priced costs at or above it are of no interest
	most    int        // labels
	pool    shelf[label]
	use     shelf[uint64] // what each label has used
	free    []int32
	equal   map[uint64]int32 // [hash] a label of a long list
	long    int              // where a list begins to be long
	started [][]int32        // [class] labels at the start of a stage at this layer
	ended   [][][]int32      // [unit][class] labels at the end of a stage
	cutoff  int64
	best    int64
	last    int32 // label at the start of the best path's last stage, -1: none
	scratch []uint64
	onward  []hopBound
}

// mostLabels is how many labels fit in memory at once.
const mostLabels = 6 << 20

// hopBound is a class to go on with and a bound on what completing there costs.
type hopBound struct {
	class int
	bound int64
}

func newLabelling(g *graph, r, x *relaxation, m memory, cutoff int64, plain bool) *labelling {
	l := &labelling{
		ahead: r.tables, behind: newTables(g), plain: plain, cutoff: cutoff, g: g, r: r, x: x, f: newFields(g, m.remembered()), room: cutoff + r.back,
		started: make([][]int32, g.classes), ended: make([][][]int32, g.units+1), last: -1,
	}
	l.best, l.equal, l.long = cutoff, make(map[uint64]int32), math.MaxInt
	if g.shared {
		l.long = 32
	}
	l.scratch = make([]uint64, l.f.words)
	l.pool.width, l.use.width = 1, l.f.words
	for i := range l.ended {
		l.ended[i] = make([][]int32, g.classes)
	}
	for k := range g.classes {
		l.behind.end[k][g.units] = never
		l.behind.start[g.units][k] = never
	}
	l.mask = l.f.masks(m)
	return l
}

// least returns the least cost of some labels.
func (l *labelling) least(list []int32) int64 {
	least := never
	for _, q := range list {
		least = min(least, l.pool.one(q).cost)
	}
	return least
}

// run returns whether it came to the end; then best is the least cost of the
// relaxation's paths, or the cutoff where none is below it.
func (l *labelling) run(ctx context.Context) bool {
	for i := range l.g.units {
		for k := range l.started {
			l.started[k] = l.started[k][:0]
		}
		if i == 0 {
			for k, x := range l.g.first {
				if x+l.ahead.start[0][k] < l.room {
					clear(l.scratch)
					l.open(label{parent: -1, class: int16(k), cost: x, plain: x, extra: l.g.extraFirst[k]}, l.scratch)
				}
			}
		}
		for k, ended := range l.ended[i] {
			if ctx.Err() != nil || l.pool.n > l.most {
				return false
			}
			if !l.hops(ctx, i, k, ended) {
				return false
			}
		}
		for k, started := range l.started {
			l.behind.start[i][k] = l.least(started)
			for _, q := range started {
				if ctx.Err() != nil {
					return false
				}
				l.stages(i, k, q)
			}
		}
		l.ended[i] = nil
	}
	return true
}

func (l *labelling) used(q int32) []uint64 {
	return l.use.at(q)
}

// hops starts a stage at unit i behind each label that ended one on class k, and
// returns whether it came to the end.
func (l *labelling) hops(ctx context.Context, i, k int, ended []int32) bool {
	least := l.least(ended)
	if l.behind.end[k][i] = least; len(ended) == 0 {
		return true
	}
	g, hop, start := l.g, l.g.hop[k], l.ahead.start[i]
	l.onward = l.onward[:0]
	for d := range g.classes {
		if b := hop[d] + start[d]; least+b < l.room {
			l.onward = append(l.onward, hopBound{d, b})
		}
	}
	for _, q := range ended {
		if ctx.Err() != nil {
			return false
		}
		o := *l.pool.one(q)
		for _, h := range l.onward {
			if o.cost+h.bound < l.room {
				l.hop(i, k, h.class, q, &o)
			}
		}
	}
	return true
}

func (l *labelling) hop(i, k, d int, q int32, o *label) {
	extra := o.extra + l.g.extraHop[k][d]
	if l.x != nil && extra+l.x.start[i][d] > l.g.limit {
		return
	}
	if !l.g.shared && l.f.at[d].width > 0 && l.f.get(l.used(q), d) >= int64(l.g.count[d]) {
		return
	}
	use := l.used(q)
	for w, mask := range l.mask[d] {
		l.scratch[w] = use[w] & mask
	}
	l.open(label{cost: o.cost + l.g.hop[k][d], plain: o.plain + l.g.hop[k][d], extra: extra, parent: q, unit: int16(i), class: int16(d), forced: o.forced}, l.scratch)
}

// open adds a label at the start of a stage.
func (l *labelling) open(x label, use []uint64) {
	k := int(x.class)
	if !l.g.shared {
		l.f.add(use, k, 1)
	}
	for b, c := range l.g.forced {
		if c == k {
			x.forced |= 1 << b
		}
	}
	l.started[k] = l.insert(l.started[k], x, use, false)
}

// stages ends label q's stage at every unit that it can.
func (l *labelling) stages(i, k int, q int32) {
	g, o, cost := l.g, *l.pool.one(q), l.r.cost[k]
	left := never
	if g.shared && l.f.at[k].width > 0 {
		left = g.capacity(k) - l.f.get(l.used(q), k)
	}
	base := o.cost + l.r.visit[k] - cost[i]
	for j := i + 1; j <= int(g.reach[k][i]); j++ {
		if g.shared && g.use(i, j) > left {
			return
		}
		x := o
		x.cost, x.parent, x.unit = base+cost[j], q, int16(j)
		x.plain += g.cost[k][j] - g.cost[k][i]
		x.extra += g.extra[k][j] - g.extra[k][i]
		if x.cost+l.ahead.end[k][j] >= l.room || l.x != nil && x.extra+l.x.end[k][j] > g.limit {
			continue
		}
		if j == g.units {
			l.finish(x)
			continue
		}
		copy(l.scratch, l.used(q))
		if g.shared {
			l.f.add(l.scratch, k, g.use(i, j))
		}
		l.ended[j][k] = l.insert(l.ended[j][k], x, l.scratch, true)
	}
}

func (l *labelling) finish(x label) {
	end := &l.behind.end[x.class][l.g.units]
	*end = min(*end, x.cost)
	cost := x.cost - l.r.back
	if l.plain {
		cost = x.plain
	}
	if cost += l.g.ret[x.class]; cost < l.best && x.forced == 1<<len(l.g.forced)-1 {
		l.best, l.last = cost, x.parent
	}
}

// path returns the best path, or nil where none is below the cutoff.
func (l *labelling) path() []visit {
	if l.last < 0 {
		return nil
	}
	var path []visit
	to := l.g.units
	for q := l.last; ; {
		o := *l.pool.one(q)
		path = append(path, visit{int(o.class), int(o.unit), to})
		to = int(o.unit)
		if o.parent < 0 {
			break
		}
		q = l.pool.one(o.parent).parent
	}
	slices.Reverse(path)
	return path
}
