package edgeshard_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

func TestBuiltinProfiles(t *testing.T) {
	want := []string{"authors-agx-orin", "authors-orin-nx", "authors-rtx-3090"}
	if diff := cmp.Diff(want, edgeshard.ProfileNames()); diff != "" {
		t.Fatalf("names (-want +got):\n%s", diff)
	}
	// Sums over the 34 units of the published file, in microseconds.
	sums := map[string]int{"authors-agx-orin": 173973, "authors-orin-nx": 198555, "authors-rtx-3090": 26074}
	for _, name := range want {
		p, ok := edgeshard.BuiltinProfile(name)
		if !ok || p.Name != name || p.Model != "llama2-7b" || p.Units != 34 || len(p.Points) != 34 {
			t.Errorf("%s is %+v", name, p)
			continue
		}
		sum := 0.0
		for _, q := range p.Points {
			sum += q.MS * 1000
		}
		if int(sum+0.5) != sums[name] {
			t.Errorf("%s: %.1f µs in all, want %d", name, sum, sums[name])
		}
	}
	if _, ok := edgeshard.BuiltinProfile("../profiles/authors-orin-nx"); ok {
		t.Error("a path is taken for a name")
	}
}

// TestAuthorsCosts: decode at every batch up to the one measured takes the
// measured time.
func TestAuthorsCosts(t *testing.T) {
	top, err := topologies.Load("authors-latency")
	if err != nil {
		t.Fatal(err)
	}
	model, _ := models.Builtin("llama2-7b")
	profiles, err := edgeshard.LoadProfiles(top, model, "")
	if err != nil {
		t.Fatal(err)
	}
	costs, err := edgeshard.NewCosts(edgeshard.Spec{Model: model, Topology: top, Profiles: profiles})
	if err != nil {
		t.Fatal(err)
	}
	for device, want := range map[int]time.Duration{0: 5759 * time.Microsecond, 2: 5498 * time.Microsecond, 4: 766 * time.Microsecond} {
		for batch := 1; batch <= 4; batch++ {
			for _, past := range []int{0, 127} {
				got := costs.Compute(device, 1, models.Pass{Batch: batch, Tokens: 1, Past: past})
				if (got - want).Abs() > time.Nanosecond {
					t.Errorf("unit 1 on %s at batch %d takes %s, want %s", top.Devices[device].Name, batch, got, want)
				}
			}
		}
	}
}

func TestLoadProfilesRefuses(t *testing.T) {
	top, err := topologies.Load("edgeshard-testbed-profiled")
	if err != nil {
		t.Fatal(err)
	}
	model, _ := models.Builtin("llama2-13b")
	_, err = edgeshard.LoadProfiles(top, model, "")
	want := "topology edgeshard-testbed-profiled: device agx-1: profile authors-agx-orin was measured with llama2-7b, 34 units: the model llama2-13b has 42"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	top.Devices[3].Profile = "missing.toml"
	model, _ = models.Builtin("llama2-7b")
	_, err = edgeshard.LoadProfiles(top, model, "/nowhere")
	want = `topology edgeshard-testbed-profiled: device agx-4: profile "/nowhere/missing.toml": file does not exist, and no built-in one: expected a path or one of authors-agx-orin, authors-orin-nx, authors-rtx-3090`
	if filepath.Separator == '/' && (err == nil || err.Error() != want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestCheckProfiles(t *testing.T) {
	top, err := topologies.Load("edgeshard-testbed-profiled")
	if err != nil {
		t.Fatal(err)
	}
	if errs := edgeshard.CheckProfiles(top, ""); len(errs) > 0 {
		t.Errorf("built-in profiles: %v", errs)
	}
	top.Devices[3].Profile, top.Devices[5].Profile = "missing.toml", "missing.toml"
	if errs := edgeshard.CheckProfiles(top, t.TempDir()); len(errs) != 1 || !errors.Is(errs[0], fs.ErrNotExist) {
		t.Errorf("a missing profile: %v", errs)
	}
}

// documented returns the example in a section of docs/formats.md.
func documented(t *testing.T, section string) []byte {
	t.Helper()
	doc, err := os.ReadFile("docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "\n## "+section+"\n")
	_, text, _ = strings.Cut(text, "```toml\n")
	example, _, ok := strings.Cut(text, "```")
	if !ok {
		t.Fatalf("docs/formats.md: expected a section %q with an example, found none", section)
	}
	return []byte(example)
}

// TestDocumentedProfile reads the example of docs/formats.md.
func TestDocumentedProfile(t *testing.T) {
	if p, err := edgeshard.ParseProfile("docs.toml", documented(t, "Profile")); err != nil || p.Units != 34 {
		t.Errorf("read %+v, %v", p, err)
	}
}

const smallProfile = `model = "m"
units = 3
hop_ns = 40000
overhead = "25MiB"
points = [{from = 0, to = 3, batch = 1, tokens = 1, past = 0, ms = 0.5}]
`

func TestLoadProfile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.toml"), []byte(smallProfile), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := edgeshard.LoadProfile(filepath.Join(dir, "mine.toml"))
	want := &edgeshard.Profile{
		Name: "mine", Model: "m", Units: 3, Overhead: 25 << 20,
		Software: edgeshard.Software{Hop: 40 * time.Microsecond},
		Points:   []edgeshard.Point{{To: 3, Batch: 1, Tokens: 1, MS: 0.5}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestProfileFaults(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"units", "unit", "f.toml:2: unit: unknown key: did you mean units?"},
		{"past", "pats", "f.toml:5: points.pats: unknown key: did you mean past?"},
		{`"25MiB"`, `"25"`, `f.toml:4: overhead: expected a size such as 29GiB, found "25": no unit, one of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, PB, PiB`},
		{"= 3\n", "= \n", "f.toml:2: unexpected character U+000A at start of value"},
		{"to = 3", "to = 2", "f.toml: profile f: no point measures unit 2 of 3"},
		{"= 40000", "= -1", "f.toml: profile f: hop_ns is -1: want 0 to an hour"},
		{"ms = 0.5", "ms = -1", "f.toml: profile f: points[0]: want batch and tokens of 1 or more, past and ms of 0 or more, found 1, 1, 0, -1"},
		{"units = 3", "units = 1000000000", "f.toml: profile f: no point measures unit 3 of 1000000000"},
	} {
		_, err := edgeshard.ParseProfile("f.toml", []byte(strings.Replace(smallProfile, c.old, c.new, 1)))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s → %s: got %v\nwant %s", c.old, c.new, err, c.want)
		}
	}
}

func TestProfileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &edgeshard.Profile{
			Name: rapid.StringMatching(`[ -~]{1,9}`).Draw(t, "name"), Model: "m", Units: rapid.IntRange(1, 4).Draw(t, "units"),
			Software: edgeshard.Software{
				Hop: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "hop")), HopByte: rapid.Float64Range(0, 1e9).Draw(t, "byte"),
				Enter: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "enter")), Token: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "token")),
			},
			Origin:   edgeshard.Origin{Host: "h", Kernel: "avx2", Threads: 2, Precision: "q8_0", Date: "2026-11-27T17:00:00Z", Version: "v"},
			Spread:   edgeshard.Spread{Each: rapid.Float64Range(0, 10).Draw(t, "each"), Memory: 5},
			Overhead: topologies.Bytes(rapid.Int64Min(0).Draw(t, "overhead")),
		}
		for u := range p.Units {
			p.Points = append(p.Points, edgeshard.Point{From: u, To: u + 1, Batch: 1 + u, Tokens: 2, Past: u, MS: rapid.Float64Range(0, 1e8).Draw(t, "ms"), Raw: []float64{1, 2.5}})
		}
		profileRoundTrip(t, p)
	})
}

// profileRoundTrip writes a profile and reads it back.
func profileRoundTrip(t interface{ Fatalf(string, ...any) }, want *edgeshard.Profile) {
	text, err := want.TOML()
	if err != nil {
		t.Fatalf("%v", err)
	}
	got, err := edgeshard.ParseProfile("f", text)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("%v in\n%s(-want +got):\n%s", err, text, diff)
	}
}

func FuzzProfile(f *testing.F) {
	f.Add([]byte(smallProfile))
	f.Add([]byte("model = 'm'\nunits = 1\n[[points]]\nto = 1\nbatch = 1\ntokens = 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := edgeshard.ParseProfile("f", data)
		if err != nil {
			if err.Error() == "" {
				t.Fatalf("an empty error of type %T", err)
			}
			return
		}
		profileRoundTrip(t, p)
	})
}
