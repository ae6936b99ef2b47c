package topologies

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Random returns a topology of n unequal devices in clusters, each a class with
// fast links inside and slower ones between; some pairs have links of their own,
// one direction at a time. Equal seeds give equal topologies. It panics if n is
// not 1 to MaxDevices.
func Random(seed uint64, n int) *Topology {
	g := generator{rand.New(rand.NewPCG(seed, 0x746f706f6c6f6779))}
	clusters := 1 + g.IntN(max(min(n/2, 8), 1))
	devices := make([]entry, n)
	for i := range devices {
		devices[i].Device = g.device(fmt.Sprintf("d%d", i), fmt.Sprintf("cluster%d", g.IntN(clusters)))
	}
	d := &draft{Name: fmt.Sprintf("random-%d-%d", seed, n), Devices: devices, Links: g.links(devices, clusters)}
	if n > 0 {
		d.Source = devices[g.IntN(n)].Name
	}
	t, err := fromDraft(d)
	if err != nil {
		panic(err)
	}
	return t
}

type generator struct{ *rand.Rand }

// between draws from [low, high], evenly over the orders of magnitude, to two digits.
func (g generator) between(low, high float64) float64 {
	x := low * math.Pow(high/low, g.Float64())
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return min(max(math.Round(x/unit)*unit, low), high)
}

func (g generator) device(name, class string) Device {
	memory := Bytes(math.Round(g.between(4, 64))) << 30
	return Device{
		Name: name, Class: class,
		Memory: memory, Usable: memory / 16 * Bytes(8+g.IntN(9)),
		FLOPS:           Rate(g.between(1e11, 4e13)),
		MemoryBandwidth: ByteRate(g.between(1.5e10, 1e12)),
	}
}

func (g generator) link(slow, fast float64) Link {
	return Link{Bandwidth: BitRate(g.between(slow, fast)), Latency: time.Duration(g.between(1e5, 3e7))}
}

// links draws a rule for every pair, one inside each cluster, some between two
// clusters, and for some pairs of devices.
func (g generator) links(devices []entry, clusters int) []linkEntry {
	present := make(map[string]bool)
	for i := range devices {
		present[devices[i].Class] = true
	}
	rules := []rule{ruleOf(g.link(1e6, 1e8))}
	for a := range clusters {
		for b := a; b < clusters; b++ {
			from, to := fmt.Sprintf("cluster%d", a), fmt.Sprintf("cluster%d", b)
			l := g.link(1e6, 1e8)
			if a == b {
				l = g.link(1e8, 1e10)
			}
			if present[from] && present[to] && (a == b || g.IntN(2) == 0) {
				r := ruleOf(l)
				r.Between = []string{from, to}
				rules = append(rules, r)
			}
		}
	}
	for range min(len(devices)/3, 256) {
		from, to := g.IntN(len(devices)), g.IntN(len(devices))
		if l := g.link(1e6, 1e9); from != to {
			rules = append(rules, directedRule(devices[from].Name, devices[to].Name, l))
		}
	}
	return entriesOf(rules)
}
