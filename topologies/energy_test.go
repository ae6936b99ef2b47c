package topologies_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/topologies"
)

const metered = `name = "metered"

[[device]]
name = "a"
memory = "1GB"
flops = "1GFLOPS"
memory_bandwidth = "1GB/s"

[[device]]
name = "b"
memory = "1GB"
flops = "1GFLOPS"
memory_bandwidth = "1GB/s"

[[link]]
bandwidth = "50Mbps"
latency = "2ms"
joules_per_byte = 5e-8
`

// TestJoulesPerByte: a link's energy is read, bounded, and kept in JSON.
func TestJoulesPerByte(t *testing.T) {
	topo, err := topologies.Parse("metered.toml", []byte(metered))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(topo)
	if err != nil {
		t.Fatal(err)
	}
	var back topologies.Topology
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if a, b := topo.Link(0, 1), back.Link(1, 0); a.JoulesPerByte != 5e-8 || a != b {
		t.Errorf("%+v and, from JSON, %+v", a, b)
	}
	_, err = topologies.Parse("metered.toml", []byte(strings.Replace(metered, "5e-8", "-1", 1)))
	if err == nil || !strings.Contains(err.Error(), "metered.toml:18:") || !strings.Contains(err.Error(), "expected 0 to 1, found -1") {
		t.Errorf("%v", err)
	}
}
