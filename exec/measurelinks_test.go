package exec

import (
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/topologies"
)

// Paths begin at the source, go no device twice in a row, and use every pair.
func TestCoveringPaths(t *testing.T) {
	for devices := 2; devices <= 9; devices++ {
		for source := range devices {
			used := make(map[[2]int]bool)
			for _, path := range coveringPaths(devices, source, 10) {
				if path[0] != source || len(path) < 2 || len(path) > 10 {
					t.Fatalf("%d devices from %d: path %v", devices, source, path)
				}
				for i := 1; i < len(path); i++ {
					if path[i] == path[i-1] {
						t.Fatalf("%d devices from %d: path %v stays", devices, source, path)
					}
					used[[2]int{path[i-1], path[i]}] = true
				}
			}
			if want := devices * (devices - 1); len(used) != want {
				t.Errorf("%d devices from %d: %d pairs are used, want %d", devices, source, len(used), want)
			}
		}
	}
}

// A link's figures come out of messages that took latency, bytes and software.
func TestMeasuredLink(t *testing.T) {
	sizes := make(map[int64][]float64)
	for i := range 40 {
		for _, bytes := range []int64{2000, 200_000} {
			ns := 3e6 + 100e3 + float64(bytes)*(8e9/50e6+2) + float64(i%4-2)*1e3
			sizes[bytes] = append(sizes[bytes], ns)
		}
	}
	l := measuredLink("a", "b", sizes, edgeshard.Software{Hop: 100 * time.Microsecond, HopByte: 2})
	if off := time.Duration(l.Latency) - 3*time.Millisecond; off.Abs() > 10*time.Microsecond {
		t.Errorf("latency %s, want 3ms", time.Duration(l.Latency))
	}
	if off := float64(l.Bandwidth)/50e6 - 1; off > 0.01 || off < -0.01 {
		t.Errorf("bandwidth %s, want 50Mbps", l.Bandwidth)
	}
}

// linked returns a topology of three devices.
func linked(t *testing.T, link func(from, to int) topologies.Link) *topologies.Topology {
	t.Helper()
	devices := []topologies.Device{
		{Name: "a", Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1}, {Name: "b", Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1},
		{Name: "c", Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1},
	}
	top, err := topologies.New("three", devices, 0, link)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// The links that local workers imitate are seen as what they are.
func TestImitatedLinks(t *testing.T) {
	top := linked(t, func(from, _ int) topologies.Link {
		return topologies.Link{Bandwidth: 20_000_000, Latency: time.Duration(20+20*from) * time.Millisecond}
	})
	o := &linkProbe{samples: make(map[[2]int]map[int64][]float64)}
	Virtual(t, func(t *testing.T) {
		r := &Runner{Options{Threads: 1, Emulate: true, Timeout: time.Hour}}
		if err := r.alongPaths(t.Context(), top, o, time.Now().Add(time.Minute), nil); err != nil {
			t.Fatal(err)
		}
	})
	links := o.links(top, edgeshard.Software{}, 0)
	if len(links) != 6 {
		t.Fatalf("%d links: want 6", len(links))
	}
	for _, l := range links {
		from, _ := top.Index(l.From)
		want := time.Duration(20+20*from) * time.Millisecond
		if got := time.Duration(l.Latency); (got - want).Abs() > time.Microsecond {
			t.Errorf("%s → %s: latency %s, want %s", l.From, l.To, got, want)
		}
		if mbps := float64(l.Bandwidth) / 1e6; mbps < 19.99 || mbps > 20.01 {
			t.Errorf("%s → %s: %.2f Mbps, want 20", l.From, l.To, mbps)
		}
		if l.Jitter > 0 {
			t.Errorf("%s → %s: jitter %s, want none", l.From, l.To, time.Duration(l.Jitter))
		}
	}
}

// All links are measured, with messages of all sizes.
func TestMeasureLinks(t *testing.T) {
	top := linked(t, func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1e9} })
	r := &Runner{Options{Threads: 1, Emulate: true, Timeout: time.Hour}}
	p, err := r.MeasureLinks(t.Context(), top, time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Links) != 6 {
		t.Fatalf("%d links: want 6", len(p.Links))
	}
	for _, l := range p.Links {
		if len(l.Points) < 3 || l.Points[0].Messages < linkTokens-1 || l.Points[0].MS <= 0 {
			t.Errorf("%s → %s: %+v", l.From, l.To, l.Points)
		}
	}
}
