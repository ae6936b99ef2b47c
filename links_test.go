package edgeshard_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// TestDocumentedLinkProfile reads the example of docs/formats.md, writes it and
// reads it again.
func TestDocumentedLinkProfile(t *testing.T) {
	p, err := edgeshard.ParseLinkProfile("docs.toml", documented(t, "Link profile"))
	if err != nil || len(p.Links) != 1 || p.Hop != 120*time.Microsecond {
		t.Fatalf("read %+v, %v", p, err)
	}
	text, err := p.TOML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := edgeshard.ParseLinkProfile("docs.toml", text)
	if diff := cmp.Diff(p, again); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

const attic = `source = "a"
measured_links = "links.toml"
[[device]]
name = "a"
memory = "8GB"
flops = "1TFLOPS"
memory_bandwidth = "10GB/s"
[[device]]
name = "b"
memory = "8GB"
flops = "1TFLOPS"
memory_bandwidth = "10GB/s"
[[link]]
bandwidth = "1Gbps"
latency = "1ms"
`

// A topology's measured links replace its own, in the direction measured.
func TestMeasuredLinks(t *testing.T) {
	dir := t.TempDir()
	links := "[[link]]\nfrom = 'a'\nto = 'b'\nlatency = '7ms'\nbandwidth = '20Mbps'\njitter = '0s'\nuncertainty = '0s'\n"
	if err := os.WriteFile(filepath.Join(dir, "links.toml"), []byte(links), 0o600); err != nil {
		t.Fatal(err)
	}
	top, err := topologies.Parse("attic.toml", []byte(attic))
	if err != nil {
		t.Fatal(err)
	}
	model, _ := models.Builtin("demo")
	if _, err := edgeshard.LoadProfiles(top, model, dir); err != nil {
		t.Fatal(err)
	}
	if there, back := top.Link(0, 1), top.Link(1, 0); there.Latency != 7*time.Millisecond || there.Bandwidth != 20_000_000 || back.Latency != time.Millisecond {
		t.Errorf("there %+v, back %+v", there, back)
	}
	if top.MeasuredLinks != "" {
		t.Error("the links would be replaced again")
	}
	top, _ = topologies.Parse("attic.toml", []byte(attic))
	if _, err := edgeshard.LoadProfiles(top, model, t.TempDir()); err == nil || !strings.Contains(err.Error(), "measured links") {
		t.Errorf("without the file: %v", err)
	}
}

func TestLinkProfileFaults(t *testing.T) {
	good := "[[link]]\nfrom = 'a'\nto = 'b'\nlatency = '7ms'\nbandwidth = '20Mbps'\n"
	for old, c := range map[string][2]string{
		"'b'":      {"'a'", `link 1: from "a" to "a": want two devices`},
		"'20Mbps'": {"'0Mbps'", "link 1: bandwidth is 0bps: want more than 0"},
		"'7ms'":    {"'2h'", "latency"},
		"latency":  {"latnecy", "did you mean latency?"},
		good:       {"name = 'x'\n", "it has no links"},
	} {
		_, err := edgeshard.ParseLinkProfile("f.toml", []byte(strings.Replace(good, old, c[0], 1)))
		if err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s → %s: %v, want %s", old, c[0], err, c[1])
		}
	}
}
