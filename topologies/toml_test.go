package topologies

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/internal/golden"
)

// render writes a topology out in full: every device, every link.
func render(t *testing.T, top *Topology) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\nsource %s, cloud %s\n", top.Name, top.Description, top.Devices[top.Source].Name, top.Devices[top.Cloud].Name)
	for _, d := range top.Devices {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", text)
	}
	for from := range top.Devices {
		for to := range top.Devices {
			if l := top.Link(from, to); from != to {
				fmt.Fprintf(&b, "%s → %s %s %s\n", top.Devices[from].Name, top.Devices[to].Name, l.Bandwidth, Duration(l.Latency))
			}
		}
	}
	return b.String()
}

func TestBuiltins(t *testing.T) {
	for _, name := range Names() {
		top, warnings, err := Check(name)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, warnings %q", name, err, warnings)
			continue
		}
		if name != "local-3" { // whose figures are tuned to its use
			golden.Match(t, name+".golden", render(t, top))
		}
		jsonRoundTrip(t, top)
	}
}

func TestTheTestbedIsThePapers(t *testing.T) {
	top, err := Load("edgeshard-testbed")
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[Rate]int)
	for _, d := range top.Devices {
		counts[d.FLOPS]++
	}
	if diff := cmp.Diff(map[Rate]int{3.33e12: 12, 1.88e12: 2, 36e12: 1}, counts); diff != "" {
		t.Errorf("devices by FLOPS (-want +got):\n%s", diff)
	}
	slow := 0
	pairs(top.Devices, func(from, to int) {
		if l := top.Link(from, to); l.Bandwidth == 1e6 {
			slow++
		} else if l.Bandwidth != 50e6 {
			t.Errorf("link %d → %d has %s", from, to, l.Bandwidth)
		}
	})
	if slow != 2 || top.Link(top.Source, top.Cloud).Bandwidth != 1e6 {
		t.Errorf("%d links of 1 Mbps, want those between source and cloud", slow)
	}
}

// everything uses all that the format has.
const everything = `
name = "everything" # a comment
description = """
two lines: [[device]]
"""
source = "b"

[kind.base]
memory = "8GiB"
"flops" = "1TFLOPS"
memory_bandwidth = "50GB/s"

[kind.slow]
like = "base"
slowdown = 2.5
class = "slow"

[[device]]
name = "a"
count = 2
like = "slow"
usable = "6GiB"

[[device]]
name = "b"
like = "a"
slowdown = 3
address = "b.lan:7000"
idle_power = "5W"
active_power = "0.01kW"

[[device]]
name = "c"
memory = "1GB"
overhead = "25MiB"
profile = "measured.toml"

[medium]
wire = { bandwidth = "1Gbps", latency = "0.1ms" }
[medium.slow-wire]
like = "wire"
bandwidth = "100Mbps"

[[link]]
like = "wire"

[[link]]
between = ["slow", "c"]
like = "slow-wire"

[[link]]
from = "c"
to = "*"
bandwidth = "7Mbps"
latency = "7ms"

[[link]]
from = "a-2"
to = "b"
bandwidth = "9Mbps"
latency = "9ms"
`

func TestParse(t *testing.T) {
	top, err := Parse("folder/everything.toml", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	golden.Match(t, "everything.golden", render(t, top))
	data, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Match(t, "everything.json.golden", string(data)+"\n")
	jsonRoundTrip(t, top)
}

// TestDocumentedExample reads the example of docs/formats.md.
func TestDocumentedExample(t *testing.T) {
	doc, err := os.ReadFile("../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\n## Topology\n")
	_, rest, _ := strings.Cut(section, "```toml\n")
	example, _, _ := strings.Cut(rest, "```")
	top, err := Parse("attic.toml", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	got := []BitRate{top.Link(0, 1).Bandwidth, top.Link(1, 3).Bandwidth, top.Link(3, 1).Bandwidth, top.Link(1, 2).Bandwidth}
	if diff := cmp.Diff([]BitRate{200e6, 1e9, 50e6, 1e9}, got); diff != "" {
		t.Errorf("links laptop → pi, pi → server, server → pi, pi → pi (-want +got):\n%s", diff)
	}
}

func TestLoadSaysWhatThereIs(t *testing.T) {
	_, err := Load("home-lap")
	want := `topology "home-lap": file does not exist, and no built-in one (authors-latency, authors-throughput, edgeshard-testbed, edgeshard-testbed-profiled, home-lab, local-3): did you mean home-lab?`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder is read")
	}
	file := filepath.Join(t.TempDir(), "mine.toml")
	if err := os.WriteFile(file, []byte(strings.Replace(everything, `name = "everything"`, "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if top, err := Load(file); err != nil || top.Name != "mine" {
		t.Errorf("read %v, %v", top, err)
	}
}

func TestCheckWarns(t *testing.T) {
	_, warnings, err := check("w.toml", []byte(`
[kind.unused]
memory = "1GB"

[[device]]
name = "a"
memory = "1GB"
flops = "1GFLOPS"
memory_bandwidth = "1GB/s"
address = "10.0.0.1:7000"

[[device]]
name = "b"
like = "a"
address = "127.0.0.1:7000"

[[device]]
name = "c"
memory = "1GB"
profile = "p.toml"

[[link]]
bandwidth = "50kbps"
latency = "2s"

[[link]]
between = ["*", "*"]
bandwidth = "50Mbps"
latency = "2ms"
`))
	var got strings.Builder
	for _, w := range warnings {
		got.WriteString(w.In("w.toml") + "\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	golden.Match(t, "warnings.golden", got.String())
}
