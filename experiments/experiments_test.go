package experiments_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/edgeshard/edgeshard/experiments"
	"github.com/edgeshard/edgeshard/internal/golden"
)

// want is what the small version of an experiment must come to.
type want struct {
	Points    []map[string]any  `json:"points"`
	Published map[string]string `json:"published,omitempty"` // verdict of each published figure
}

// wanted are the columns that hold whichever of several equal plans is found.
var wanted = []string{"status", "objective_ms", "tpot_ms", "ttft_ms", "throughput", "steady_throughput", "lost"}

// TestExperiments runs every experiment, small, and holds it to its want.json.
func TestExperiments(t *testing.T) {
	found := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "experiment.toml" {
			found++
			t.Run(filepath.Dir(path), func(t *testing.T) {
				holdToWant(t, path)
				isTold(t, filepath.Dir(path))
			})
		}
		return err
	})
	if err != nil || found == 0 {
		t.Fatalf("%d experiments, %v", found, err)
	}
}

func holdToWant(t *testing.T, path string) {
	spec := readSpec(t, path)
	small, err := spec.Shrunk()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&experiments.Sweep{Spec: spec}).Prepare(); err != nil {
		t.Fatalf("the whole experiment: %v", err)
	}
	got := outcome(t, small)
	file := filepath.Join(filepath.Dir(path), "want.json")
	if *golden.Update {
		writeJSON(t, file, got)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var w want
	if err := json.Unmarshal(data, &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, got, cmpopts.EquateApprox(1e-6, 0), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

var picture = regexp.MustCompile(`!\[[^\]]*\]\(([^)]*)\)`)

// isTold holds that an experiment's folder, or the one around it, tells question,
// method and result, and shows pictures that are there.
func isTold(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
		dir = filepath.Dir(dir)
	}
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"**Question.**", "**Method.**", "**Result.**"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("README.md has no %s", part)
		}
	}
	pictures := picture.FindAllStringSubmatch(string(text), -1)
	for _, p := range pictures {
		if _, err := os.Stat(filepath.Join(dir, p[1])); err != nil {
			t.Error(err)
		}
	}
	if len(pictures) == 0 {
		t.Error("README.md has no picture")
	}
}

func readSpec(t testing.TB, path string) *experiments.Spec {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := experiments.ParseSpec(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func outcome(t *testing.T, spec *experiments.Spec) want {
	t.Helper()
	s := experiments.Sweep{Spec: spec}
	results, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	table := experiments.NewTable(spec, "test", results)
	a, err := experiments.Analyse(spec, table)
	if err != nil {
		t.Fatal(err)
	}
	w := want{Published: make(map[string]string)}
	for i := range results {
		w.Points = append(w.Points, point(t, table, &results[i]))
	}
	for _, j := range a.Published {
		key, err := json.Marshal(j.Where)
		if err != nil {
			t.Fatal(err)
		}
		w.Published[string(key)] = string(j.Verdict)
	}
	return w
}

func point(t *testing.T, table *experiments.Table, r *experiments.Result) map[string]any {
	t.Helper()
	p := make(map[string]any)
	for _, x := range r.Settings {
		p[x.Column] = jsonValue(x.Value)
	}
	for _, name := range wanted {
		c, err := table.Column(name)
		if err != nil {
			t.Fatal(err)
		}
		if v := table.Rows[r.Index][c]; v != nil {
			p[name] = jsonValue(v)
		}
	}
	return p
}

// jsonValue is a value as JSON brings it back.
func jsonValue(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return math.Round(v*1e6) / 1e6
	}
	return v
}

func writeJSON(t *testing.T, file string, v any) {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(data, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
