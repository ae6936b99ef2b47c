package solver

import (
	"context"
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard"
)

// paperStates bounds the table of paperThroughput.
const paperStates = 64 << 20

// paperThroughput is Algorithm 2 of the EdgeShard paper: g(i,S,k) is the least
// bottleneck of units 0..i−1 on the device set S, the last of them on k, where a
// stage costs the larger of its compute time and its incoming transfer. As in
// the authors' code S counts devices of each class, so the table has
// units · Π(nₖ+1) · classes states: 2^M for M distinct devices.
func paperThroughput(ctx context.Context, p *Problem) ([]edgeshard.Stage, error) {
	t, err := newBottleneckTable(ctx, p)
	if err != nil {
		return nil, err
	}
	for i := 1; i < p.Units; i++ {
		for s := range t.sets {
			if err := ctx.Err(); s%16 == 0 && err != nil {
				return nil, err
			}
			for k := range p.Classes {
				t.extend(i, s, k)
			}
		}
	}
	return t.best()
}

// quickTable is how many states paperThroughput fills in some milliseconds.
const quickTable = 1 << 18

// paperTable returns how many states paperThroughput would have, at most paperStates + 1.
func (p *Problem) paperTable() int {
	states := (p.Units + 1) * len(p.Classes)
	for k := range p.Classes {
		if states *= len(p.Classes[k].Members) + 1; states > paperStates {
			return paperStates + 1
		}
	}
	return states
}

type bottleneckTable struct {
	p     *Problem
	sets  int
	place []int     // [class] of its digit in a set's number; digits 0..members
	g     [][]int64 // [unit][set and class]
	from  [][]bottleneckStep
}

// bottleneckStep is the state before the last stage.
type bottleneckStep struct {
	unit  int16
	class int16
}

func newBottleneckTable(ctx context.Context, p *Problem) (*bottleneckTable, error) {
	if p.paperTable() > paperStates {
		return nil, fmt.Errorf("solver edgeshard: more than %d states: Algorithm 2 is exponential in the number of distinct devices", paperStates)
	}
	t := &bottleneckTable{p: p, sets: 1, place: make([]int, len(p.Classes))}
	for k := range p.Classes {
		t.place[k] = t.sets
		t.sets *= len(p.Classes[k].Members) + 1
	}
	// Row by row: to have all the memory at once can take longer than a look may.
	for range p.Units + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.g = append(t.g, slices.Repeat([]int64{never}, t.sets*len(p.Classes)))
		t.from = append(t.from, make([]bottleneckStep, t.sets*len(p.Classes)))
	}
	k := p.Devices[p.Source].Class
	t.stage(0, 0, k, 0, bottleneckStep{})
	return t, nil
}

// state is where a set and the class of its last stage are in the rows.
func (t *bottleneckTable) state(set, class int) int { return set*len(t.p.Classes) + class }

// extend puts a stage on each class with a device left behind state (i, set, k).
func (t *bottleneckTable) extend(i, set, k int) {
	g := t.g[i][t.state(set, k)]
	if g >= never {
		return
	}
	for c := range t.p.Classes {
		if set/t.place[c]%(len(t.p.Classes[c].Members)+1) == len(t.p.Classes[c].Members) {
			continue
		}
		t.stage(i, set, c, max(g, t.p.Links[k][c].Step), bottleneckStep{int16(i), int16(k)})
	}
}

// stage puts units i.. on a device of class c, to every end that fits.
func (t *bottleneckTable) stage(i, set, c int, g int64, from bottleneckStep) {
	class, at := &t.p.Classes[c], t.state(set+t.place[c], c)
	var time, weight int64
	for j := i; j < t.p.Units; j++ {
		if pin := t.p.Pin(j); pin >= 0 && t.p.Devices[pin].Class != c {
			return
		}
		time, weight = time+class.Step[j], weight+t.p.Weight[j]
		if weight > class.Budget {
			return
		}
		if row := t.g[j+1]; max(g, time) < row[at] {
			row[at], t.from[j+1][at] = max(g, time), from
		}
	}
}

func (t *bottleneckTable) best() ([]edgeshard.Stage, error) {
	set, class, least := -1, -1, never
	for s := range t.sets {
		for k := range t.p.Classes {
			if g := t.g[t.p.Units][t.state(s, k)]; g < least {
				set, class, least = s, k, g
			}
		}
	}
	if set < 0 {
		return nil, &Infeasible{Reasons: []Reason{{Text: "the paper's algorithm finds no stages that fit"}}}
	}
	return t.stages(set, class), nil
}

// stages walks back from a state at the last unit; members of a class are given
// out from the last stage on.
func (t *bottleneckTable) stages(set, class int) []edgeshard.Stage {
	at, given := make([]int, t.p.Units), make([]int, len(t.p.Classes))
	for unit := t.p.Units; unit > 0; {
		step := t.from[unit][t.state(set, class)]
		d := t.p.Classes[class].Members[given[class]]
		given[class]++
		for u := int(step.unit); u < unit; u++ {
			at[u] = d
		}
		set -= t.place[class]
		unit, class = int(step.unit), int(step.class)
	}
	return stagesOf(t.p, at)
}

// Bottleneck returns what Algorithm 2 of the paper minimises: the longest stage
// or transfer between stages in one decode pass.
func (p *Problem) Bottleneck(stages []edgeshard.Stage) int64 {
	var most int64
	at := p.Source
	for _, s := range stages {
		most = max(most, p.Link(at, s.Device).Step, sum(p.Class(s.Device).Step[s.From:s.To]))
		at = s.Device
	}
	return most
}
