package solver

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
)

// solved returns the exact objective, never where there is no plan.
func solved(t interface{ Fatal(...any) }, p *Problem) int64 {
	r, err := Solve(context.Background(), p, Options{})
	if none := (*Infeasible)(nil); errors.As(err, &none) {
		return never
	}
	if err != nil {
		t.Fatal(err)
	}
	if !r.Proved {
		t.Fatal("not proved")
	}
	return r.Objective()
}

// drawUnbound draws a problem of least latency without pins, bounds and devices to
// use or to leave out.
func drawUnbound(t *rapid.T, units, devices int) *Problem {
	p := drawProblem(t, units, devices)
	p.Objective, p.MaxLoop, p.MaxRequest, p.Forced = edgeshard.Latency, never, never, nil
	for u := range p.Pins {
		p.Pins[u] = -1
	}
	skipExcluded(t, p)
	return p
}

// skipExcluded skips a problem that leaves out a device.
func skipExcluded(t *rapid.T, p *Problem) {
	for d := range p.Devices {
		if p.Devices[d].Class < 0 {
			t.Skip("excluded")
		}
	}
}

// subsetDP is the classic exact method without revisits: f[set][last][unit] is
// the least time to start a stage at unit on last, the devices of set being used.
func subsetDP(p *Problem) int64 {
	n := len(p.Devices)
	f := make(map[[3]int]int64)
	f[[3]int{1 << p.Source, p.Source, 0}] = 0
	best := never
	for set := range 1 << n {
		for last := range n {
			for unit := range p.Units {
				at, ok := f[[3]int{set, last, unit}]
				if !ok {
					continue
				}
				c := p.Class(last)
				var weight int64
				for end := unit + 1; end <= p.Units; end++ {
					at, weight = at+c.Request[end-1], weight+p.Weight[end-1]
					if weight > c.Budget || end <= p.Private && last != p.Source {
						break
					}
					if end == p.Units {
						best = min(best, at+p.Return[p.Devices[last].Class].Request)
						break
					}
					for next := range n {
						if set>>next&1 == 1 {
							continue
						}
						key := [3]int{set | 1<<next, next, end}
						if old, ok := f[key]; !ok || at+p.Link(last, next).Request < old {
							f[key] = at + p.Link(last, next).Request
						}
					}
				}
			}
		}
	}
	return best
}

func TestExactIsSubsetDP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawUnbound(t, 14, 8)
		p.Revisits = false
		if got, want := solved(t, p), subsetDP(p); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

// A costLabel is what a plan so far costs, and the memory of each device it takes.
type costLabel struct {
	cost int64
	used []int64
}

// dominates tells whether a is as good as b in everything.
func (a costLabel) dominates(b costLabel) bool {
	for d := range a.used {
		if a.used[d] > b.used[d] {
			return false
		}
	}
	return a.cost <= b.cost
}

// undominated adds x to labels of which none dominates another.
func undominated(labels []costLabel, x costLabel) []costLabel {
	if slices.ContainsFunc(labels, func(o costLabel) bool { return o.dominates(x) }) {
		return labels
	}
	return append(slices.DeleteFunc(labels, x.dominates), x)
}

// paretoDP is exact with revisits: labels of cost and memory used of every
// device, at each (unit, device), without those another one dominates.
func paretoDP(p *Problem) int64 {
	n := len(p.Devices)
	at := make([][]costLabel, n)
	at[p.Source] = []costLabel{{0, make([]int64, n)}}
	for u := range p.Units {
		next := make([][]costLabel, n)
		for d := range n {
			if d != p.Source && (u == 0 || u < p.Private) {
				continue
			}
			for from := range n {
				for _, l := range at[from] {
					used := slices.Clone(l.used)
					if used[d] += p.Weight[u]; used[d] <= p.Class(d).Budget {
						next[d] = undominated(next[d], costLabel{l.cost + p.Link(from, d).Request + p.Class(d).Request[u], used})
					}
				}
			}
		}
		at = next
	}
	best := never
	for d := range n {
		for _, l := range at[d] {
			best = min(best, l.cost+p.Return[p.Devices[d].Class].Request)
		}
	}
	return best
}

func TestExactIsParetoDP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawUnbound(t, 8, 4)
		p.Revisits = true
		if got, want := solved(t, p), paretoDP(p); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

// What must hold of any problem and a changed one.
func TestMetamorphic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 9, 6)
		base := solved(t, p)
		change := func(name string, q *Problem, ok func(x int64) bool) {
			if x := solved(t, q); !ok(x) {
				t.Fatalf("%s: %d becomes %d", name, base, x)
			}
		}
		var devices []int
		for d := range p.Devices {
			if p.Devices[d].Class >= 0 {
				devices = append(devices, d)
			}
		}
		same := func(x int64) bool { return x == base }
		change("telling twins apart", p.Apart(devices), same)
		d := rapid.SampledFrom(devices).Draw(t, "device")
		extra := rapid.Int64Range(0, 20).Draw(t, "extra")
		change("adding memory", p.withBudget(d, p.Class(d).Budget+extra), func(x int64) bool { return x <= base })
		change("taking memory", p.withBudget(d, p.Class(d).Budget-extra), func(x int64) bool { return x >= base })
		change("slowing a device", p.withSpeed(d, 3, 2), func(x int64) bool { return x >= base })
		if p.MaxLoop == never && p.MaxRequest == never {
			change("scaling times", p.scaled(7), func(x int64) bool { return x == 7*base || base == never && x == never })
		}
		if d != p.Source && len(p.Forced) == 0 && p.Pins[p.Units-1] != d {
			q := p.Apart([]int{d})
			k := q.Devices[d].Class
			q.Classes[k].Budget = -1
			change("losing a device", q, func(x int64) bool { return x >= base })
		}
		if p.Revisits {
			q := p.bounded()
			q.Revisits = false
			change("forbidding revisits", q, func(x int64) bool { return x >= base })
		}
	})
}

// scaled returns the problem with all times multiplied.
func (p *Problem) scaled(f int64) *Problem {
	q := p.bounded()
	q.Classes = append([]Class(nil), p.Classes...)
	times := func(x []int64) []int64 {
		y := make([]int64, len(x))
		for i := range x {
			y[i] = f * x[i]
		}
		return y
	}
	link := func(l Link) Link { return Link{f * l.Request, f * l.Step, f * l.Occupancy, f * l.Traffic} }
	q.Links, q.Return, q.Idle = nil, nil, f*p.Idle
	for k := range q.Classes {
		q.Classes[k].Visit *= f
		q.Classes[k].Request, q.Classes[k].Step = times(q.Classes[k].Request), times(q.Classes[k].Step)
		var row []Link
		for _, l := range p.Links[k] {
			row = append(row, link(l))
		}
		q.Links, q.Return = append(q.Links, row), append(q.Return, link(p.Return[k]))
	}
	return q
}
