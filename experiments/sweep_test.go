package experiments_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/experiments"
)

const quick = `
name = "quick"
repeats = 2
[base]
model = "demo"
topology = "local-3"
tokens = 8
rate_per_s = 50
[[axis]]
key = "solver"
values = ["exact", "edgeshard", "solo"]
[[axis]]
key = "requests"
from = 1
to = 8
steps = 8
integer = true
[[axis]]
key = "link.*.bandwidth"
name = "mbps"
values = [1, 10]
unit = "Mbps"
`

func parse(t testing.TB, text string) *experiments.Spec {
	t.Helper()
	s, err := experiments.ParseSpec(filepath.Join(t.TempDir(), "experiment.toml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// csvOf runs a sweep to its end and returns its table as CSV.
func csvOf(t testing.TB, s *experiments.Sweep) string {
	t.Helper()
	results, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := experiments.NewTable(s.Spec, s.Version, results).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestResume stops sweeps at random points and starts them again: the results are
// those of an undisturbed one to the byte, and no point is computed twice.
func TestResume(t *testing.T) {
	whole := csvOf(t, &experiments.Sweep{Spec: parse(t, quick)})
	rng := rand.New(rand.NewPCG(1, 2))
	cache := &experiments.Cache{Dir: t.TempDir()}
	for done, round := 0, 0; round < 20; round++ {
		ctx, stop := context.WithCancel(context.Background())
		left := rng.IntN(6)
		s := experiments.Sweep{Spec: parse(t, quick), Cache: cache, Workers: 2}
		s.Tell = func(p experiments.Progress) {
			if done = p.Cached; p.Done-p.Cached > left {
				stop()
			}
		}
		if _, err := s.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		stop()
		if done == 96 {
			break
		}
	}
	computed := 0
	s := &experiments.Sweep{Spec: parse(t, quick), Cache: cache, Tell: func(p experiments.Progress) { computed = p.Done - p.Cached }}
	if diff := cmp.Diff(whole, csvOf(t, s)); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
	if got := csvOf(t, s); got != whole || computed != 0 {
		t.Errorf("%d points computed again", computed)
	}
}

// TestCorruptCache damages every entry in one of several ways: each is computed again.
func TestCorruptCache(t *testing.T) {
	cache := &experiments.Cache{Dir: t.TempDir()}
	whole := csvOf(t, &experiments.Sweep{Spec: parse(t, quick), Cache: cache})
	files, err := filepath.Glob(filepath.Join(cache.Dir, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d entries, %v", len(files), err)
	}
	for i, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 4 {
		case 0:
			data = nil
		case 1:
			data = data[:len(data)/2]
		case 2:
			data = bytes.Replace(data, []byte("ok"), []byte("no"), 1)
		case 3:
			data[len(data)-2] ^= 1
		}
		if err := os.WriteFile(f, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := csvOf(t, &experiments.Sweep{Spec: parse(t, quick), Cache: cache}); got != whole {
		t.Error("results differ")
	}
}

// TestUnwritableCache runs a sweep whose cache takes nothing, as on a full disk.
func TestUnwritableCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	whole := csvOf(t, &experiments.Sweep{Spec: parse(t, quick)})
	if got := csvOf(t, &experiments.Sweep{Spec: parse(t, quick), Cache: &experiments.Cache{Dir: file}}); got != whole {
		t.Error("results differ")
	}
}

func TestVersionsAreApart(t *testing.T) {
	cache := &experiments.Cache{Dir: t.TempDir()}
	for _, version := range []string{"1", "2"} {
		cached := -1
		s := &experiments.Sweep{Spec: parse(t, quick), Cache: cache, Version: version, Tell: func(p experiments.Progress) { cached = p.Cached }}
		if csvOf(t, s); cached != 0 {
			t.Errorf("version %s took %d outcomes of another", version, cached)
		}
	}
}

func TestStop(t *testing.T) {
	s := parse(t, `
[base]
topology = "edgeshard-testbed"
[[axis]]
key = "solver"
values = ["solo", "exact"]
[[axis]]
key = "model"
values = ["llama2-7b", "llama2-13b", "llama2-70b"]
stop = true
`)
	results, err := (&experiments.Sweep{Spec: s}).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []experiments.Status
	for i := range results {
		got = append(got, results[i].Status)
	}
	want := []experiments.Status{experiments.OK, experiments.Infeasible, experiments.Skipped, experiments.OK, experiments.OK, experiments.OK}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFailedPoint holds that a point that cannot be run is a row with its reason.
func TestFailedPoint(t *testing.T) {
	s := parse(t, "[base]\nmodel = \"demo\"\ntopology = \"local-3\"\n[[axis]]\nkey = \"micro_batch\"\nvalues = [1, 4]\n")
	results, err := (&experiments.Sweep{Spec: s}).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Status != experiments.OK || results[1].Status != experiments.Failed || !strings.Contains(results[1].Error, "micro_batch is 4") {
		t.Errorf("got %s, %s: %s", results[0].Status, results[1].Status, results[1].Error)
	}
}

func TestSpecErrors(t *testing.T) {
	const base = "[base]\nmodel = \"demo\"\ntopology = \"local-3\"\n"
	long := func(key string) string { return "[[axis]]\nkey = \"" + key + "\"\nfrom = 1\nto = 2\nsteps = 10000\n" }
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":    {base + "[[axis]]\nkey = \"bacth\"\nvalues = [1]", "axis 1 (bacth): bacth: unknown key: did you mean batch?"},
		"unknown field":  {base + "[[axis]]\nkye = \"batch\"", "experiment.toml:5: axis.kye: unknown key: did you mean key?"},
		"empty axis":     {base + "[[axis]]\nkey = \"batch\"\nvalues = []", "axis 1 (batch): has no value"},
		"no axis values": {base + "[[axis]]\nkey = \"batch\"", "axis 1 (batch): want values, or both from and to"},
		"too many":       {base + long("batch") + long("requests") + long("tokens"), "the axes make 1e+12 points: want at most 1000000"},
		"missing file":   {base + "[[axis]]\nkey = \"topology\"\nvalues = [\"local-3\", \"nowhere.toml\"]", "topology = nowhere.toml: topology: "},
		"bad amount":     {base + "[[axis]]\nkey = \"link.*.bandwidth\"\nvalues = [\"fast\"]", "link.*.bandwidth = fast: "},
		"no device":      {base + "[[axis]]\nkey = \"device.agx.slowdown\"\nvalues = [2]", "device.agx.slowdown = 2: topology: device.agx.slowdown: topology local-3 has no such device or class"},
		"bad solver":     {base + "[[axis]]\nkey = \"solver\"\nvalues = [\"exakt\"]", "solver = exakt: solver: found \"exakt\", want one of "},
		"bad base":       {"[base]\nmodl = \"demo\"", "base: modl: unknown key: did you mean model?"},
		"bad base value": {base + "requests = \"many\"", "base: requests: found \"many\", want a number of its kind"},
		"no topology":    {"[base]\nmodel = \"demo\"", "want the settings topology and model"},
		"bad condition":  {"keep = [\"batch >\"]\n" + base, "keep: \"batch >\": "},
		"no such column": {"keep = [\"bach > 1\"]\n" + base, "keep: \"bach > 1\""},
		"keeps nothing":  {"keep = [\"requests > 1\"]\n" + base + "requests = 1", "keep leaves no point"},
		"two axes":       {base + strings.Repeat("[[axis]]\nkey = \"batch\"\nvalues = [1]\n", 2), "axis 2: two axes are called batch"},
		"ragged rows":    {base + "[[axis]]\nkeys = [\"batch\", \"micro_batch\"]\nvalues = [[1]]", "values[0]: want an array of 2 values"},
		"bad plot":       {base + "[[plot]]\nfile = \"a.svg\"\nkind = \"pie\"", "plot 1: kind is \"pie\""},
		"no plot column": {base + "[[plot]]\nfile = \"a.svg\"\nkind = \"line\"\nx = \"mpbs\"\ny = \"tpot_ms\"", "plot 1: no column \"mpbs\""},
		"no figure":      {base + "[[published]]\nwhere = {solver = \"exact\"}\nfigure = \"tpot\"\nvalue = 1", "published 1: no column "},
		"bad scenario":   {base + "scenario = \"s\"\n[scenario.s]\nsede = 1", "scenario: scenario.toml:"},
	} {
		t.Run(name, func(t *testing.T) {
			spec, err := experiments.ParseSpec("experiment.toml", []byte(c.text))
			if err == nil {
				_, err = (&experiments.Sweep{Spec: spec}).Prepare()
			}
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "experiment.toml:") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

// TestLatinHypercube holds that each of n strata of an axis has one of n samples.
func TestLatinHypercube(t *testing.T) {
	s := parse(t, "design = \"lhs\"\nsamples = 40\n[base]\nmodel = \"demo\"\ntopology = \"local-3\"\n"+
		"[[axis]]\nkey = \"rate_per_s\"\nfrom = 0\nto = 40\n[[axis]]\nkey = \"device.*.slowdown\"\nfrom = 1\nto = 41\n")
	points, err := s.Points()
	if err != nil {
		t.Fatal(err)
	}
	for axis, low := range []float64{0, 1} {
		seen := make(map[int]bool)
		for _, p := range points {
			seen[int(p.Settings[axis].Value.(float64)-low)] = true
		}
		if len(points) != 40 || len(seen) != 40 {
			t.Errorf("axis %d: %d strata of 40 have a sample", axis, len(seen))
		}
	}
}

func TestKeep(t *testing.T) {
	s := parse(t, "keep = [\"batch % micro_batch == 0\"]\n[base]\nmodel = \"demo\"\ntopology = \"local-3\"\n"+
		"[[axis]]\nkey = \"batch\"\nvalues = [1, 2, 4]\n[[axis]]\nkey = \"micro_batch\"\nvalues = [1, 2, 4]\n")
	points, err := s.Points()
	if err != nil || len(points) != 6 {
		t.Errorf("%d points, %v: want 6", len(points), err)
	}
}
