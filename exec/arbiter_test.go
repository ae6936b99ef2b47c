package exec

import (
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/topologies"
)

// TestFaultsOutlastPlans: a link that a later plan uses first has the faults that
// began before.
func TestFaultsOutlastPlans(t *testing.T) {
	device := topologies.Device{Memory: 1, FLOPS: 1, MemoryBandwidth: 1}
	list := []topologies.Device{device, device, device}
	list[0].Name, list[1].Name, list[2].Name = "a", "b", "c"
	top, err := topologies.New("t", list, 0, func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1e9} })
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse("test", []byte("[[fault]]\nat = \"1s\"\nbetween = [\"b\", \"*\"]\ndo = \"degrade\"\nfactor = 0.25\n"), top)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newArbiter(&cluster{options: &Options{Emulate: true, Scenario: sc}, plan: &edgeshard.Plan{Topology: top}, started: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	want := func(when string, factors ...float64) {
		t.Helper()
		for i, p := range a.net.Ports() {
			if p.Factor() != factors[i] {
				t.Errorf("%s: %g of the link from %d to %d is left: want %g", when, p.Factor(), p.From, p.To, factors[i])
			}
		}
	}
	open := func(from, to int) {
		if decides, err := a.decides(from, to); !decides || err != nil {
			t.Fatalf("decides on the link from %d to %d: %v, %v", from, to, decides, err)
		}
	}
	open(0, 1)
	want("at the beginning", 1)
	a.setFaults([]*scenarios.Fault{&sc.Faults[0]})
	want("with the fault", 0.25)
	open(1, 2)
	want("when another link is opened", 0.25, 0.25)
	a.setFaults(nil)
	want("without it", 1, 1)
}
