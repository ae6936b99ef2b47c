package main

import (
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/topologies"
)

// TestApart: how far devices are apart is the median of their links' latencies, with
// a least.
func TestApart(t *testing.T) {
	link := func(latency time.Duration) func(from, to int) topologies.Link {
		return func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1e9, Latency: latency} }
	}
	for _, c := range []struct {
		name    string
		devices int
		latency time.Duration
		want    time.Duration
	}{
		{"one alone", 1, 0, leastGap},
		{"a pair", 2, 7 * time.Millisecond, 7 * time.Millisecond},
		{"near ones", 3, time.Microsecond, leastGap},
	} {
		devices := make([]topologies.Device, c.devices)
		for i := range devices {
			devices[i] = topologies.Device{Name: string(rune('a' + i)), Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1}
		}
		topo, err := topologies.New(c.name, devices, 0, link(c.latency))
		if err != nil {
			t.Fatal(err)
		}
		if got := apart(topo); got != c.want {
			t.Errorf("%s: %s apart: want %s", c.name, got, c.want)
		}
	}
	demo, err := topologies.Load(demoTopology)
	if err != nil {
		t.Fatal(err)
	}
	if got := apart(demo); got != time.Millisecond {
		t.Errorf("the demo's devices are %s apart: want 1ms, the middle of 0.5, 1 and 8", got)
	}
}
