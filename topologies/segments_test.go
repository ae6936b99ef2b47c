package topologies

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const moody = deviceA + deviceB + `[medium.air]
jitter = "0.5ms"
[[link]]
like = "air"
bandwidth = "20Mbps"
latency = "2ms"
trace = "air.csv"
[[segment]]
name = "cell"
capacity = "10Mbps"
trace = "wifi"
devices = ["*"]
`

// TestSegments: what a topology says of segments, jitter and traces is there, also
// when it is read again, and trace files are found beside the topology's own.
func TestSegments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.toml")
	if err := os.WriteFile(file, []byte(moody), 0o600); err != nil {
		t.Fatal(err)
	}
	top, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	air := filepath.Join(filepath.Dir(file), "air.csv")
	want := Link{Bandwidth: 20_000_000, Latency: 2 * time.Millisecond, Jitter: 500 * time.Microsecond, Trace: air}
	if l := top.Link(1, 0); l != want || !top.Varies() {
		t.Errorf("link %+v, want %+v", l, want)
	}
	if g := top.Segments; len(g) != 1 || g[0].Name != "cell" || g[0].Capacity != 10_000_000 || g[0].Trace != "wifi" || len(g[0].Devices) != 1 {
		t.Errorf("segments %+v", g)
	}
	if traces := strings.Join(top.Traces(), " "); traces != air+" wifi" {
		t.Errorf("traces %s", traces)
	}
	data, err := json.Marshal(top)
	if err != nil {
		t.Fatal(err)
	}
	again := new(Topology)
	if err := json.Unmarshal(data, again); err != nil || !again.Equal(top) {
		t.Errorf("%v; read again from JSON it differs:\n%s", err, data)
	}
	if data, err = top.TOML(); err != nil {
		t.Fatal(err)
	}
	if again, err = Parse("f.toml", data); err != nil || !again.Equal(top) {
		t.Errorf("%v; read again from TOML it differs:\n%s", err, data)
	}
	again.Segments[0].Capacity++
	if again.Equal(top) {
		t.Error("a topology equals one with another segment")
	}
}

func TestSegmentFaults(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`jitter = "0.5ms"`, `jitter = "2h"`, `jitter: expected `},
		{`capacity = "10Mbps"`, `capacity = "0bps"`, `18: segment cell: capacity: expected a bit rate such as 300Mbps, found 0bps`},
		{`devices = ["*"]`, `between = ["a", "b", "a"]`, `segment cell: between: expected two ends, found 3`},
		{`devices = ["*"]`, `devices = ["c"]`, `segment cell: devices: expected a device, a class or *, found "c"`},
		{`devices = ["*"]`, ``, `segment cell: devices: expected either devices or between`},
		{`devices = ["*"]`, `device = ["*"]`, `segment 1: device: unknown key: did you mean devices?`},
	} {
		if _, err := Parse("f.toml", []byte(strings.Replace(moody, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.new, err, c.want)
		}
	}
}
