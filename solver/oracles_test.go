package solver

import (
	"context"
	"errors"
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
		p := drawProblem(t, 14, 8)
		p.Objective, p.Revisits, p.MaxLoop, p.MaxRequest, p.Forced = edgeshard.Latency, false, never, never, nil
		for u := range p.Pins {
			p.Pins[u] = -1
		}
		for d := range p.Devices {
			if p.Devices[d].Class < 0 {
				t.Skip("excluded")
			}
		}
		if got, want := solved(t, p), subsetDP(p); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

// paretoDP is exact with revisits: labels of cost and memory used of every
// device, at each (unit, device), without those another one dominates.
func paretoDP(p *Problem) int64 {
	type label struct {
		cost int64
		used []int64
	}
	n := len(p.Devices)
	at := make([][]label, n)
	at[p.Source] = []label{{0, make([]int64, n)}}
	for u := range p.Units {
		next := make([][]label, n)
		for d := range n {
			for from := range n {
				for _, l := range at[from] {
					if u == 0 && d != p.Source || u < p.Private && d != p.Source {
						continue
					}
					used := append([]int64(nil), l.used...)
					if used[d] += p.Weight[u]; used[d] > p.Class(d).Budget {
						continue
					}
					x := label{l.cost + p.Link(from, d).Request + p.Class(d).Request[u], used}
					worse := func(a, b label) bool { // than a
						for e := range a.used {
							if a.used[e] > b.used[e] {
								return false
							}
						}
						return a.cost <= b.cost
					}
					keep := true
					for _, o := range next[d] {
						keep = keep && !worse(o, x)
					}
					if !keep {
						continue
					}
					var list []label
					for _, o := range next[d] {
						if !worse(x, o) {
							list = append(list, o)
						}
					}
					next[d] = append(list, x)
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
		p := drawProblem(t, 8, 4)
		p.Objective, p.Revisits, p.MaxLoop, p.MaxRequest, p.Forced = edgeshard.Latency, true, never, never, nil
		for u := range p.Pins {
			p.Pins[u] = -1
		}
		for d := range p.Devices {
			if p.Devices[d].Class < 0 {
				t.Skip("excluded")
			}
		}
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
