package scenarios_test

import (
	"os"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/topologies"
)

// TestDocs reads the scenarios that the documentation shows.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/simulation.md")
	if err != nil {
		t.Fatal(err)
	}
	var devices []topologies.Device
	for _, name := range []string{"jetson-2", "a", "b"} {
		devices = append(devices, topologies.Device{Name: name, Memory: 1 << 30, FLOPS: 1, MemoryBandwidth: 1})
	}
	topo, err := topologies.New("docs", devices, 0, func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1} })
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```toml\n")[1:]
	for _, b := range blocks {
		b, _, _ = strings.Cut(b, "```")
		if _, err := scenarios.Parse("simulation.md", []byte(b), topo); err != nil {
			t.Errorf("%v in\n%s", err, b)
		}
	}
	if len(blocks) == 0 {
		t.Error("no scenario in the documentation")
	}
}
