package solver

import (
	"context"
	"testing"

	"github.com/edgeshard/edgeshard"
)

// latencyScript is the instance of the authors' latency script.
func latencyScript(t testing.TB) *Problem {
	a := readAuthors(t)
	mbps := func(x, y int) float64 {
		if x+y == 4 && x != y && x*y == 0 {
			return 10
		}
		return 950
	}
	return table{
		names:  []string{"nx0", "nx1", "agx2", "agx3", "3090"},
		weight: a.weight, cloud: 4,
		budget:  []int64{gibs(14), gibs(14), gibs(29), gibs(29), gibs(22)},
		request: [][]int64{a.nx, a.nx, a.agx, a.agx, a.rtx},
		link:    func(x, y int) Link { return msLink(4*4096*32, mbps(x, y)) },
		ret:     func(x int) Link { return msLink(4*32000*32, mbps(x, 0)) },
	}.problem()
}

// throughputScript is the instance of the authors' throughput script.
func throughputScript(t testing.TB) *Problem {
	a := readAuthors(t)
	agx := append([]int64{a.nx[0]}, a.agx[1:]...)
	link := func(int, int) Link { return msLink(4*4096*32, 10) }
	p := table{
		names:  []string{"agx0", "agx1", "agx2", "agx3", "3090"},
		weight: a.weight, cloud: 4,
		budget:  []int64{gibs(29), gibs(29), gibs(29), gibs(29), gibs(24)},
		request: [][]int64{agx, agx, agx, agx, a.rtx},
		link:    link, ret: func(int) Link { return Link{} },
	}.problem()
	p.Objective = edgeshard.Throughput
	return p
}

// testbed is the paper's 15 devices with the authors' profile: budget is the
// 3090's in GiB, factor multiplies the AGX times.
func testbed(t testing.TB, budget, factor float64) *Problem {
	a := readAuthors(t)
	tb := table{weight: a.weight, cloud: 14}
	agx := scaled(a.agx, factor)
	add := func(name string, times []int64, gib float64) {
		tb.names = append(tb.names, name)
		tb.request = append(tb.request, times)
		tb.budget = append(tb.budget, gibs(gib))
	}
	for i := range 12 {
		add("agx"+string(rune('a'+i)), agx, 29)
	}
	add("nx0", a.nx, 14)
	add("nx1", a.nx, 14)
	add("3090", a.rtx, budget)
	mbps := func(x, y int) float64 {
		if x+y == 14 && x*y == 0 {
			return 1
		}
		return 50
	}
	tb.link = func(x, y int) Link { return msLink(4096*32, mbps(x, y)) }
	tb.ret = func(x int) Link { return msLink(32, mbps(x, 0)) }
	return tb.problem()
}

func all(p *Problem) []int {
	var d []int
	for i := range p.Devices {
		d = append(d, i)
	}
	return d
}

func TestPaperLatencyScript(t *testing.T) {
	p := latencyScript(t)
	s, err := paperLatency(context.Background(), p, all(p))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shape(s), "nx0[0-0] agx2[1-1] 3090[2-30] agx2[31-32] nx0[33-33]"; got != want {
		t.Errorf("plan %s, want %s", got, want)
	}
	if got := float64(p.Value(s).Request) / 1e6; got < 55.635 || got >= 55.645 {
		t.Errorf("%.4f ms, want 55.64", got)
	}
}

func TestPaperThroughputScript(t *testing.T) {
	p := throughputScript(t)
	r, err := Solve(context.Background(), p, Options{Solver: "edgeshard"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shape(r.Stages), "agx0[0-3] agx3[4-13] agx2[14-23] agx1[24-33]"; got != want {
		t.Errorf("plan %s, want %s", got, want)
	}
	if got := p.Bottleneck(r.Stages); got != 54528800 {
		t.Errorf("bottleneck %d ns, want 54528800", got)
	}
}
