package solver

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/edgeshard/edgeshard"
)

// A table is a problem written device by device, as tests state it.
type table struct {
	names   []string
	source  int
	cloud   int
	weight  []int64
	budget  []int64
	request [][]int64 // [device][unit]; also the steady state's unless step is given
	step    [][]int64
	link    func(from, to int) Link
	ret     func(from int) Link
	edit    func(*Problem)
}

// problem groups the table's devices as New does.
func (t table) problem() *Problem {
	n, units := len(t.request), len(t.weight)
	p := &Problem{
		Objective: edgeshard.Latency, Devices: make([]Device, n), Source: t.source, Cloud: t.cloud, Units: units, Weight: t.weight,
		MicroBatches: 1, Private: 1, Pins: make([]int, units), Revisits: true, MaxRequest: never, MaxLoop: never,
	}
	for u := range p.Pins {
		p.Pins[u] = -1
	}
	for d := range p.Devices {
		p.Devices[d].Name = fmt.Sprintf("d%d", d)
		if t.names != nil {
			p.Devices[d].Name = t.names[d]
		}
	}
	if t.edit != nil {
		t.edit(p)
	}
	if t.step == nil {
		t.step = t.request
	}
	t.group(p)
	return p
}

// alike groups the devices that are there: equal ones together, but for those that
// something is said of.
func (t table) alike(p *Problem) [][]int {
	single := map[int]bool{t.source: true}
	for _, d := range slices.Concat(p.Pins, p.Forced) {
		single[d] = true
	}
	var there []int
	for d := range p.Devices {
		if p.Devices[d].Class >= 0 {
			there = append(there, d)
		}
	}
	node := func(i int) string {
		d := there[i]
		alone := -1
		if single[d] {
			alone = d
		}
		return fmt.Sprint(t.request[d], t.step[d], t.budget[d], alone)
	}
	groups := twins(len(there), node, func(a, b int) Link { return t.link(there[a], there[b]) })
	for _, g := range groups {
		for i := range g {
			g[i] = there[g[i]]
		}
	}
	return groups
}

// group makes the classes of devices, and the links between them.
func (t table) group(p *Problem) {
	for _, g := range t.alike(p) {
		for _, d := range g {
			p.Devices[d].Class = len(p.Classes)
		}
		p.Classes = append(p.Classes, Class{Members: g, Budget: t.budget[g[0]], Request: t.request[g[0]], Step: t.step[g[0]]})
	}
	p.Links, p.Return = make([][]Link, len(p.Classes)), make([]Link, len(p.Classes))
	for a := range p.Classes {
		p.Links[a] = make([]Link, len(p.Classes))
		for b := range p.Classes {
			if x, y, ok := ends(&p.Classes[a], &p.Classes[b]); ok {
				p.Links[a][b] = t.link(x, y)
			}
		}
		if m := p.Classes[a].Members[0]; m != p.Source {
			p.Return[a] = t.ret(m)
		}
	}
}

// authors is the authors' profile of Llama2-7B: ns per unit on an Orin NX, an
// AGX Orin and an RTX 3090, and bytes per unit.
type authors struct {
	nx, agx, rtx, weight []int64
}

func readAuthors(t testing.TB) authors {
	t.Helper()
	f, err := os.Open("testdata/llama2-7b-layers.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var a authors
	number := func(s string, scale float64) int64 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return int64(math.Round(x * scale))
	}
	for _, r := range rows[1:] {
		a.nx = append(a.nx, number(r[1], 1e6))
		a.agx = append(a.agx, number(r[2], 1e6))
		a.rtx = append(a.rtx, number(r[3], 1e6))
		a.weight = append(a.weight, number(r[4], 1<<30))
	}
	return a
}

// ms returns the time of bits at a link of so many Mbps, with the scripts' 2.1 ms.
func msLink(bits, mbps float64) Link {
	x := int64(math.Round((bits/1000/mbps + 2.1) * 1e6))
	return Link{Request: x, Step: x, Occupancy: x}
}

func gibs(x float64) int64 { return int64(x * (1 << 30)) }

func scaled(x []int64, f float64) []int64 {
	y := make([]int64, len(x))
	for i := range x {
		y[i] = int64(math.Round(float64(x[i]) * f))
	}
	return y
}

// shape writes stages as text: "d0[0-3] d4[4-33]".
func shape(stages []edgeshard.Stage) string {
	s := ""
	for i, x := range stages {
		if i > 0 {
			s += " "
		}
		s += fmt.Sprintf("%s[%d-%d]", x.Name, x.From, x.To-1)
	}
	return s
}
