package solver

import "slices"

// insert adds x to a list unless a label there is at least as good; labels that x
// is at least as good as are dropped. Short lists are kept cheapest first and
// searched. In long ones only labels of equal use are compared, found by hash:
// most of what two labels there have used differs both ways.
func (l *labelling) insert(list []int32, x label, use []uint64, ended bool) []int32 {
	if len(list) >= l.long {
		return l.insertLong(list, x, use, ended)
	}
	at := 0
	for ; at < len(list); at++ {
		o := l.pool.one(list[at])
		if o.cost > x.cost {
			break
		}
		if l.asGood(o, &x) && l.f.within(l.used(list[at]), use) {
			return list
		}
	}
	kept := at
	for _, q := range list[at:] {
		if l.asGood(&x, l.pool.one(q)) && l.f.within(use, l.used(q)) {
			l.free = append(l.free, q)
			continue
		}
		list[kept] = q
		kept++
	}
	list = slices.Insert(list[:kept], at, l.store(x, use))
	if len(list) == l.long {
		for _, q := range list {
			l.equal[l.hash(l.pool.one(q), l.used(q), ended)] = q
		}
	}
	return list
}

func (l *labelling) insertLong(list []int32, x label, use []uint64, ended bool) []int32 {
	key := l.hash(&x, use, ended)
	q, found := l.equal[key]
	if found && slices.Equal(l.used(q), use) && l.pool.one(q).unit == x.unit && l.pool.one(q).class == x.class {
		o := l.pool.one(q)
		if o.cost <= x.cost && l.asGood(o, &x) {
			return list
		}
		if x.cost <= o.cost && l.asGood(&x, o) {
			*o = x // nothing extends it yet
			return list
		}
	}
	q = l.store(x, use)
	l.equal[key] = q
	return append(list, q)
}

// hash mixes what a label has used with where it is (FNV-1a by words).
func (l *labelling) hash(x *label, use []uint64, ended bool) uint64 {
	h := uint64(x.unit)<<32 | uint64(uint16(x.class))<<1
	if ended {
		h |= 1
	}
	h = (h ^ 14695981039346656037) * 1099511628211
	for _, w := range use {
		h = (h ^ w) * 1099511628211
		h ^= h >> 29
	}
	return h
}

// store keeps a label, in the place of a dropped one if there is any: a label is
// only dropped before anything extends it.
func (l *labelling) store(x label, use []uint64) int32 {
	if n := len(l.free); n > 0 {
		q := l.free[n-1]
		l.free = l.free[:n-1]
		*l.pool.one(q) = x
		copy(l.used(q), use)
		return q
	}
	l.use.add(use...)
	return l.pool.add(x)
}

// asGood tells whether a, whose priced cost is at most b's, is as good as b in all
// but what it has used.
func (l *labelling) asGood(a, b *label) bool {
	return (l.x == nil || a.extra <= b.extra) && a.forced&b.forced == b.forced && (!l.plain || a.plain <= b.plain)
}
