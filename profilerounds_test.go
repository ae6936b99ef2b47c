package edgeshard_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// visited is a profile of one visit of two rounds, on a machine slower by a factor.
func visited(factor float64) *edgeshard.Profile {
	p := &edgeshard.Profile{
		Name: "p", Model: "m", Units: 6,
		Origin: edgeshard.Origin{Host: "h", Kernel: "avx2", Threads: 1, Precision: "f16", Version: "v"},
	}
	for i := range 2 {
		p.Rounds = append(p.Rounds, edgeshard.Round{
			Visit: 1, Date: time.Date(2026, 11, 27, 17, i, 0, 0, time.UTC).Format(time.RFC3339), Blocks: 2,
			Software: edgeshard.Software{Hop: time.Duration(factor * 4e5), Stage: 100_000, Enter: 2e5, Token: 3e5}, Overhead: 50 << 20, Packing: 0.03, Load: 1e9, Each: 0.05,
		})
	}
	for _, u := range [][2]int{{0, 1}, {1, 5}, {5, 6}} {
		p.Points = append(p.Points, edgeshard.Point{From: u[0], To: u[1], Batch: 1, Tokens: 1, Past: 8, Raw: []float64{factor * 0.9, factor * 1.1}})
	}
	p.Sum()
	return p
}

// TestAdd: a second visit's rounds count as the first's, and what differs between
// visits makes the spread of runs wider than what differs within one.
func TestAdd(t *testing.T) {
	p := visited(1)
	if q := &p.Points[1]; math.Abs(q.MS-0.95) > 1e-9 { // of two blocks, which share what a stage takes
		t.Errorf("a block takes %g ms, want 0.95", q.MS)
	}
	if p.Hop != 400*time.Microsecond || p.Stage != 100*time.Microsecond || p.Overhead != 50<<20 || p.Packing != 0.03 || p.Visits() != 1 {
		t.Errorf("sum %+v", p)
	}
	within := p.Spread.Run
	if err := p.Add(visited(1.5), false); err != nil {
		t.Fatal(err)
	}
	if q := &p.Points[1]; math.Abs(q.MS-1.2) > 1e-9 || len(q.Raw) != 4 || p.Visits() != 2 || p.Rounds[3].Visit != 2 || p.Hop != 500*time.Microsecond {
		t.Errorf("sum of two visits %+v", p)
	}
	if !(p.Spread.Run > 1.5*within) || p.Spread.Runs >= 4 || p.Spread.Hop < 100*time.Microsecond {
		t.Errorf("spread %+v after %g", p.Spread, within)
	}
	if err := p.Add(visited(1), true); err != nil || p.Visits() != 2 || len(p.Rounds) != 6 {
		t.Errorf("more of the same visit: %v, %d visits", err, p.Visits())
	}
	profileRoundTrip(t, p)
}

// TestSpreadAt: a profile's spread grows with the time since its visits, to what it
// is at no known time; that of a device alone has what differs when it is; without
// rounds it is what it is.
func TestSpreadAt(t *testing.T) {
	p := visited(1)
	for i, factor := range []float64{1.05, 1.1, 1.2, 1.1, 1.3} {
		more := visited(factor)
		for r := range more.Rounds {
			more.Rounds[r].Date = time.Date(2026, 11, 27, 17, 5*(i+1)+r, 0, 0, time.UTC).Format(time.RFC3339)
		}
		if err := p.Add(more, false); err != nil {
			t.Fatal(err)
		}
	}
	last := time.Date(2026, 11, 27, 17, 26, 0, 0, time.UTC)
	reach := func(s edgeshard.Spread) float64 { return s.Run * (1 + 1.6/float64(s.Runs-1)) }
	now, later := p.SpreadAt(last, false), p.SpreadAt(last.Add(10*time.Minute), false)
	never, unknown := p.SpreadAt(last.Add(1000*time.Hour), false), p.SpreadAt(time.Time{}, false)
	if now != p.Spread || reach(later) < 1.05*reach(now) || reach(never) < 1.05*reach(later) || never != unknown || later.Hop <= now.Hop {
		t.Errorf("spreads %+v, later %+v, much later %+v, at no time %+v", now, later, never, unknown)
	}
	if now.Together < 0.9 {
		t.Errorf("passes and messages that slow down together correlate by %g", now.Together)
	}
	for i := range p.Rounds {
		p.Rounds[i].Alone = []float64{0.5, 1}[i%2]
	}
	p.Sum()
	if p.Alone != 0.75 || reach(p.SpreadAt(last, true)) < 2*reach(p.SpreadAt(last, false)) {
		t.Errorf("alone %g: spread %+v, with others %+v", p.Alone, p.SpreadAt(last, true), p.SpreadAt(last, false))
	}
	spread := edgeshard.Spread{Run: 0.1, Runs: 3}
	if q := (&edgeshard.Profile{Spread: spread}); q.SpreadAt(last, true) != spread {
		t.Error("a profile without rounds has another spread")
	}
}

func TestAddRefuses(t *testing.T) {
	for want, change := range map[string]func(p *edgeshard.Profile){
		"on the host h, now it is other":             func(p *edgeshard.Profile) { p.Host = "other" },
		"of the model m, now it is n":                func(p *edgeshard.Profile) { p.Model = "n" },
		"with weights in f16, now it is q8_0":        func(p *edgeshard.Profile) { p.Precision = "q8_0" },
		"with the kernel path avx2, now it is neon":  func(p *edgeshard.Profile) { p.Kernel = "neon" },
		"with threads: 1, now it is 2":               func(p *edgeshard.Profile) { p.Threads = 2 },
		"with version v, now it is w":                func(p *edgeshard.Profile) { p.Version = "w" },
		"it has 3 points, now there are 2":           func(p *edgeshard.Profile) { p.Points = p.Points[:2] },
		"measure the same batches, prompts and toke": func(p *edgeshard.Profile) { p.Points[1].Past = 9 },
		"does not have the single rounds":            func(p *edgeshard.Profile) { p.Rounds = nil },
	} {
		p, more := visited(1), visited(1)
		change(more)
		if err := p.Add(more, false); err == nil || !strings.Contains(err.Error(), want) || len(p.Rounds) != 2 {
			t.Errorf("%v: want %q", err, want)
		}
	}
	p, unknown := visited(1), visited(1)
	unknown.Host, unknown.Threads = "", 0
	if err := p.Add(unknown, false); err != nil {
		t.Errorf("what is not known: %v", err)
	}
}

func TestRoundFaults(t *testing.T) {
	for want, change := range map[string]func(p *edgeshard.Profile){
		"rounds[1]: visit is 3: want 1 or 2":                                func(p *edgeshard.Profile) { p.Rounds[1].Visit = 3 },
		"rounds[0]: visit is 0: want 1 or 1":                                func(p *edgeshard.Profile) { p.Rounds[0].Visit = 0 },
		"rounds[0]: date is":                                                func(p *edgeshard.Profile) { p.Rounds[0].Date = "today" },
		"points[2]: raw_ms has 1 values: want one of each of 2 rounds":      func(p *edgeshard.Profile) { p.Points[2].Raw = p.Points[2].Raw[:1] },
		"rounds[1]: packing, each, memory or hop_ns_per_byte make no sense": func(p *edgeshard.Profile) { p.Rounds[1].Each = math.NaN() },
	} {
		p := visited(1)
		change(p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
}

// TestAlone: the factor of a device alone applies where there is one device.
func TestAlone(t *testing.T) {
	p := visited(1)
	p.Alone = 0.5
	for _, n := range []int{1, 2} {
		devices := make([]topologies.Device, n)
		for i := range devices {
			devices[i] = topologies.Device{Name: fmt.Sprint("d", i), Memory: 1 << 30, Profile: "p"}
		}
		top, err := topologies.New("t", devices, 0, func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1e6} })
		if err != nil {
			t.Fatal(err)
		}
		costs, err := edgeshard.NewCosts(edgeshard.Spec{
			Model: models.Config{Layers: 4, Dim: 8, Heads: 1, KVHeads: 1, Vocab: 8, Hidden: 8}, Topology: top, Profiles: map[string]*edgeshard.Profile{"p": p},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := time.Duration(0.95e6 / float64(3-n)) // half of it alone
		if got := costs.Compute(0, 2, models.Pass{Batch: 1, Tokens: 1, Past: 8}); got != want {
			t.Errorf("%d devices: a block takes %s, want %s", n, got, want)
		}
	}
}
