package solver

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
)

// drawProblem draws a small problem of any kind: tight or loose memory, equal
// devices, dear links, pins, bounds on the other objective.
func drawProblem(t *rapid.T, units, devices int) *Problem {
	n := rapid.IntRange(2, units).Draw(t, "units")
	d := rapid.IntRange(1, devices).Draw(t, "devices")
	tb := table{cloud: d - 1, source: rapid.IntRange(0, d-1).Draw(t, "source")}
	alike := rapid.Bool().Draw(t, "alike units")
	for u := range n {
		w := int64(4)
		if u == 0 || u == n-1 || !alike {
			w = drawNumber(t, 1, 6, "weight")
		}
		tb.weight = append(tb.weight, w)
	}
	kinds := make([]deviceKind, rapid.IntRange(1, d).Draw(t, "kinds"))
	for k := range kinds {
		kinds[k] = drawKind(t, n, alike)
	}
	kind := make([]int, d)
	for i := range d {
		kind[i] = rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")
		k := kinds[kind[i]]
		tb.request, tb.step, tb.budget = append(tb.request, k.time), append(tb.step, k.step), append(tb.budget, k.budget)
	}
	drawLinks(t, &tb, kind, len(kinds))
	tb.edit = func(p *Problem) { drawConstraints(t, p, n, d) }
	p := tb.problem()
	for k := range p.Classes {
		p.Classes[k].Visit = drawNumber(t, 0, 3, "visit")
	}
	p.Idle = drawNumber(t, 0, int(p.Class(p.Source).Step[0]), "idle")
	return p
}

func drawNumber(t *rapid.T, lo, hi int, label string) int64 {
	return int64(rapid.IntRange(lo, hi).Draw(t, label))
}

// A deviceKind is what equal devices have in common.
type deviceKind struct {
	time, step []int64 // of the units
	budget     int64
}

func drawKind(t *rapid.T, units int, alike bool) deviceKind {
	base := drawNumber(t, 1, 20, "speed")
	time := make([]int64, units)
	for u := range time {
		time[u] = base
		if !alike {
			time[u] += drawNumber(t, 0, 5, "time")
		}
	}
	return deviceKind{time, scaled(time, float64(drawNumber(t, 1, 3, "step"))), drawNumber(t, 0, 4*units, "budget")}
}

// drawLinks draws the links between kinds of devices, and the ways back of
// devices, which neighbours of one kind share.
func drawLinks(t *rapid.T, tb *table, kind []int, kinds int) {
	dear := int(drawNumber(t, 1, 40, "dear"))
	drawLink := func() Link {
		x := drawNumber(t, 0, dear, "link")
		return Link{Request: x, Step: x + drawNumber(t, 0, 3, "link step"), Occupancy: x}
	}
	links := make([][]Link, kinds)
	for a := range links {
		for range kinds {
			links[a] = append(links[a], drawLink())
		}
	}
	back := make([]Link, len(kind))
	for i := range back {
		back[i] = drawLink()
		if i > 0 && kind[i] == kind[i-1] {
			back[i] = back[i-1]
		}
	}
	tb.link = func(x, y int) Link { return links[kind[x]][kind[y]] }
	tb.ret = func(x int) Link { return back[kind[x]] }
}

func drawConstraints(t *rapid.T, p *Problem, n, d int) {
	p.Revisits = rapid.Bool().Draw(t, "revisits")
	if rapid.Bool().Draw(t, "throughput") {
		p.Objective, p.Revisits = edgeshard.Throughput, false
	}
	p.MicroBatches = rapid.IntRange(1, 4).Draw(t, "micro-batches")
	switch rapid.IntRange(0, 7).Draw(t, "constraint") {
	case 0:
		p.Private = rapid.IntRange(1, n).Draw(t, "private")
	case 1:
		p.Pins[n-1] = p.Source
	case 2:
		u := rapid.IntRange(1, n-1).Draw(t, "pinned")
		p.Pins[u] = rapid.IntRange(0, d-1).Draw(t, "pinned to")
	case 3:
		p.Forced = []int{rapid.IntRange(0, d-1).Draw(t, "forced")}
	case 4:
		p.MaxRequest = int64(rapid.IntRange(5, 40*n).Draw(t, "max request"))
	case 5:
		p.MaxLoop, p.Revisits = int64(rapid.IntRange(5, 80*n).Draw(t, "max loop")), false
	case 6:
		if e := rapid.IntRange(0, d-1).Draw(t, "excluded"); e != p.Source {
			p.Devices[e].Class = -1
		}
	}
}

// bruteForce returns the least objective over all plans, never if there is none.
func bruteForce(p *Problem) int64 {
	best := never
	everyPlan(p, func(stages []edgeshard.Stage) { best = min(best, p.Of(p.Value(stages))) })
	return best
}

func TestExactIsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 6, 4)
		want := bruteForce(p)
		r, err := Solve(context.Background(), p, Options{})
		if want >= never {
			if none := (*Infeasible)(nil); !errors.As(err, &none) {
				t.Fatalf("got %v, want an infeasible problem", err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%v, want %d", err, want)
		}
		if err := p.Check(r.Stages); err != nil {
			t.Fatalf("plan %s: %v", shape(r.Stages), err)
		}
		if r.Objective() != want || !r.Proved || r.Bound != want {
			t.Fatalf("got %d (bound %d, proved %t) with %s, want %d", r.Objective(), r.Bound, r.Proved, shape(r.Stages), want)
		}
	})
}
