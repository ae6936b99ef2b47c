package solver

import (
	"context"
	"errors"
	"testing"

	"github.com/edgeshard/edgeshard"
	"pgregory.net/rapid"
)

// drawProblem draws a small problem of any kind: tight or loose memory, equal
// devices, dear links, pins, bounds on the other objective.
func drawProblem(t *rapid.T, units, devices int) *Problem {
	n := rapid.IntRange(2, units).Draw(t, "units")
	d := rapid.IntRange(1, devices).Draw(t, "devices")
	tb := table{cloud: d - 1, source: rapid.IntRange(0, d-1).Draw(t, "source")}
	number := func(lo, hi int, label string) int64 { return int64(rapid.IntRange(lo, hi).Draw(t, label)) }
	alike := rapid.Bool().Draw(t, "alike units")
	for u := range n {
		w := int64(4)
		if u == 0 || u == n-1 || !alike {
			w = number(1, 6, "weight")
		}
		tb.weight = append(tb.weight, w)
	}
	kinds := rapid.IntRange(1, d).Draw(t, "kinds")
	var times, steps [][]int64
	var budgets []int64
	for range kinds {
		base := number(1, 20, "speed")
		time := make([]int64, n)
		for u := range time {
			time[u] = base
			if !alike {
				time[u] += number(0, 5, "time")
			}
		}
		times = append(times, time)
		steps = append(steps, scaled(time, float64(number(1, 3, "step"))))
		budgets = append(budgets, number(0, 4*n, "budget"))
	}
	dear := int(number(1, 40, "dear"))
	links := make([][]Link, kinds)
	kind := make([]int, d)
	for i := range d {
		kind[i] = rapid.IntRange(0, kinds-1).Draw(t, "kind")
		tb.request = append(tb.request, times[kind[i]])
		tb.step = append(tb.step, steps[kind[i]])
		tb.budget = append(tb.budget, budgets[kind[i]])
	}
	drawLink := func() Link {
		x := number(0, dear, "link")
		return Link{Request: x, Step: x + number(0, 3, "link step"), Occupancy: x}
	}
	for a := range links {
		for range kinds {
			links[a] = append(links[a], drawLink())
		}
	}
	back := make([]Link, d)
	for i := range back {
		back[i] = drawLink()
		if i > 0 && kind[i] == kind[i-1] {
			back[i] = back[i-1]
		}
	}
	tb.link = func(x, y int) Link { return links[kind[x]][kind[y]] }
	tb.ret = func(x int) Link { return back[kind[x]] }
	tb.edit = func(p *Problem) { drawConstraints(t, p, n, d) }
	p := tb.problem()
	for k := range p.Classes {
		p.Classes[k].Visit = number(0, 3, "visit")
	}
	p.Idle = number(0, int(p.Class(p.Source).Step[0]), "idle")
	return p
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
	var stages []edgeshard.Stage
	var extend func(from int)
	extend = func(from int) {
		if from == p.Units {
			if p.Check(stages) == nil {
				best = min(best, p.Of(p.Value(stages)))
			}
			return
		}
		for d := range p.Devices {
			if p.Devices[d].Class < 0 || len(stages) > 0 && stages[len(stages)-1].Device == d {
				continue
			}
			for to := from + 1; to <= p.Units; to++ {
				stages = append(stages, edgeshard.Stage{Name: p.Devices[d].Name, Device: d, From: from, To: to})
				extend(to)
				stages = stages[:len(stages)-1]
			}
		}
	}
	extend(0)
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
