package topologies

import (
	"cmp"
	"slices"
)

const (
	anyDevice = "*"  // the end of a rule that stands for every device
	maxGroups = 4096 // what rules may tell apart, so that a table takes at most 64 MiB
)

// A linkTable holds the rules of the links and, for groups of devices that no
// rule tells apart, which of them holds: a device that a rule names is a group,
// so are the devices of a class that a rule names, and all the others. A
// thousand devices of three classes take nine cells.
type linkTable struct {
	rules []rule   // in order, as written
	group []int32  // of each device
	cells []uint32 // [from group][to group]: 1 + index into rules, 0 where none holds
	n     int      // groups
}

func (l *linkTable) at(from, to int) Link {
	if from == to || l.n == 0 {
		return Link{}
	}
	return l.rules[l.cells[int(l.group[from])*l.n+int(l.group[to])]-1].link()
}

// An end is what a rule's end stands for, in order of rank.
type end struct {
	kind endKind
	name string
}

type endKind int

const (
	everyDevice endKind = iota
	oneClass
	oneDevice
)

// assign groups the devices by the ends that rules have, and returns the groups
// of each end and the members of each group.
func (l *linkTable) assign(devices []Device, used map[end]bool) (map[end][]int32, [][]int) {
	l.group = make([]int32, len(devices))
	byEnd, own := make(map[end][]int32), make(map[end]int32)
	var members [][]int
	for i := range devices {
		class := end{oneClass, devices[i].Class}
		key := end{}
		if device := (end{oneDevice, devices[i].Name}); used[device] {
			key = device
		} else if used[class] {
			key = class
		}
		full := [2]end{key, {}}
		if key.kind == oneDevice {
			full[1] = class
		}
		g, ok := own[key]
		if !ok {
			g = int32(len(members))
			own[key], members = g, append(members, nil)
			for _, e := range full {
				if e.kind != everyDevice && used[e] {
					byEnd[e] = append(byEnd[e], g)
				}
			}
			byEnd[end{}] = append(byEnd[end{}], g)
		}
		l.group[i] = g
		members[g] = append(members[g], i)
	}
	l.n = len(members)
	return byEnd, members
}

// A stroke is a rule with its ends understood.
type stroke struct {
	from, to end
	directed bool
	rule     int
}

// rank says how specific a rule is: each end counts 4 for a device and 2 for a
// class, one direction alone counts 1.
func (s stroke) rank() int {
	r := 2 * int(s.from.kind+s.to.kind)
	if s.directed {
		r++
	}
	return r
}

// paint fills the cells, from the least specific stroke to the most, of equals
// from the earlier to the later.
func (l *linkTable) paint(strokes []stroke, groups map[end][]int32) {
	l.cells = make([]uint32, l.n*l.n)
	strokes = lastOfEach(strokes)
	slices.SortStableFunc(strokes, func(a, b stroke) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.rule, b.rule))
	})
	for _, s := range strokes {
		l.fill(groups[s.from], groups[s.to], s.rule)
		if !s.directed {
			l.fill(groups[s.to], groups[s.from], s.rule)
		}
	}
}

func (l *linkTable) fill(from, to []int32, rule int) {
	for _, a := range from {
		for _, b := range to {
			l.cells[int(a)*l.n+int(b)] = uint32(rule) + 1
		}
	}
}

// lastOfEach drops the strokes that a later one between the same ends covers, so
// that repetition costs nothing.
func lastOfEach(strokes []stroke) []stroke {
	last := make(map[stroke]int, len(strokes))
	for i, s := range strokes {
		s.rule = 0
		last[s] = i
	}
	var kept []stroke
	for i, s := range strokes {
		key := s
		key.rule = 0
		if last[key] == i {
			kept = append(kept, s)
		}
	}
	return kept
}

// uncovered returns the first pair of devices without a link, and how many pairs have none.
func (l *linkTable) uncovered(members [][]int) (from, to, pairs int) {
	for a := range members {
		for b := range members {
			n := len(members[a]) * len(members[b])
			if a == b {
				n -= len(members[a])
			}
			if n == 0 || l.cells[a*l.n+b] != 0 {
				continue
			}
			if pairs == 0 {
				from, to = members[a][0], members[b][0]
				if a == b {
					to = members[a][1]
				}
			}
			pairs += n
		}
	}
	return from, to, pairs
}

// unused returns the rules that hold for no pair of devices.
func (l *linkTable) unused(members [][]int) []int {
	used := make([]bool, len(l.rules)+1)
	for i, c := range l.cells {
		if a := i / l.n; a != i%l.n || len(members[a]) > 1 {
			used[c] = true
		}
	}
	var rules []int
	for i := range l.rules {
		if !used[i+1] {
			rules = append(rules, i)
		}
	}
	return rules
}
