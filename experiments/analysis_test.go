package experiments_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/experiments"
)

// TestFilesAgree writes a table in both formats and reads it back.
func TestFilesAgree(t *testing.T) {
	want := &experiments.Table{
		Columns: []string{"bad", "name", "number", "text", "whole"},
		Rows: [][]any{
			{true, "a", 1.5, "x,\"y\"\nz", int64(1)},
			{false, nil, nil, nil, int64(-2)},
			{nil, "é", 1e-300, "", nil},
		},
	}
	want.Rows[2][3] = nil // CSV tells no empty text from none
	for _, name := range []string{"t.csv", "t.parquet"} {
		var b bytes.Buffer
		write := want.WriteCSV
		if name == "t.parquet" {
			write = want.WriteParquet
		}
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := experiments.ReadTable(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPaired compares ten pairs whose statistics were computed by hand:
// differences 1..10 have mean 5.5, deviation √(55/6) and t = 5.745 with 9 degrees
// of freedom.
func TestPaired(t *testing.T) {
	s := parse(t, "[[compare]]\ncolumn = \"solver\"\na = \"x\"\nb = \"y\"\nfigure = \"tpot_ms\"\n")
	table := &experiments.Table{Columns: []string{"point", "case", "solver", "status", "tpot_ms"}}
	for i := range 10 {
		table.Rows = append(table.Rows,
			[]any{int64(0), int64(i), "x", "ok", float64(2 * (i + 1))}, []any{int64(0), int64(i), "y", "ok", float64(i + 1)})
	}
	table.Rows = append(table.Rows, []any{int64(0), int64(99), "x", "infeasible", nil})
	list, err := experiments.ComparePairs(s, table)
	if err != nil {
		t.Fatal(err)
	}
	p := list[0]
	half := 2.262157 * math.Sqrt(55.0/6) / math.Sqrt(10)
	for name, c := range map[string]struct{ got, want float64 }{
		"mean": {p.Difference.Mean, 5.5}, "low": {p.Difference.Low, 5.5 - half}, "ratio": {p.Ratio.Mean, 2},
		"effect": {p.Effect, 5.5 / math.Sqrt(55.0/6)}, "p": {p.P, 0.000278},
	} {
		if math.Abs(c.got-c.want) > 1e-5 {
			t.Errorf("%s is %g, want %g", name, c.got, c.want)
		}
	}
	if p.Pairs != 10 || p.Unpaired != 1 || p.Wins != 0 {
		t.Errorf("%d pairs, %d unpaired, %d wins", p.Pairs, p.Unpaired, p.Wins)
	}
}

const judged = `
[[published]]
where = {case = "near"}
figure = "tpot_ms"
value = 100
[[published]]
where = {case = "far"}
figure = "tpot_ms"
value = 100
[[published]]
where = {case = "none"}
figure = "tpot_ms"
value = "OOM"
[[published]]
where = {case = "near"}
figure = "tpot_ms"
value = "OOM"
[[published]]
where = {case = "none"}
figure = "tpot_ms"
value = 100
inconsistent = "it cannot fit"
[[published]]
where = {case = "near"}
figure = "tpot_ms"
value = 99
fitted = true
[[published]]
where = {case = "far"}
figure = "tpot_ms"
value = 99
fitted = true
`

func TestJudge(t *testing.T) {
	table := &experiments.Table{Columns: []string{"case", "status", "tpot_ms"}, Rows: [][]any{
		{"near", "ok", 105.0}, {"far", "ok", 150.0}, {"none", "infeasible", nil},
	}}
	list, err := experiments.Judge(parse(t, judged), table)
	if err != nil {
		t.Fatal(err)
	}
	var got []experiments.Verdict
	for _, j := range list {
		got = append(got, j.Verdict)
	}
	want := []experiments.Verdict{experiments.Reproduced, experiments.Differs, experiments.Reproduced, experiments.Differs,
		experiments.Inconsistent, experiments.Fitted, experiments.Differs}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDraw draws every kind of plot in both formats, and reports what cannot be.
func TestDraw(t *testing.T) {
	table := &experiments.Table{Columns: []string{"x", "y", "z", "s"}}
	for i := range 12 {
		table.Rows = append(table.Rows, []any{int64(i%4 + 1), float64(i + 1), float64(i * i), []any{"<a>", "b"}[i%2]})
	}
	for _, kind := range experiments.PlotKinds {
		for _, ext := range []string{".svg", ".png"} {
			p := experiments.Plot{File: "p" + ext, Kind: kind, X: "x", Y: "y", Series: "s", Title: "<title>"}
			if kind == "heat" {
				p.Z, p.Series = "z", ""
			}
			var b bytes.Buffer
			if err := p.Draw(&b, table); err != nil {
				t.Errorf("%s%s: %v", kind, ext, err)
			}
			if ext == ".svg" && (!strings.Contains(b.String(), "</svg>") || strings.Contains(b.String(), "<title>")) {
				t.Errorf("%s: no SVG, or one with a title that is markup", kind)
			}
			if ext == ".png" && !bytes.HasPrefix(b.Bytes(), []byte("\x89PNG")) {
				t.Errorf("%s: no PNG", kind)
			}
		}
	}
	p := experiments.Plot{File: "p.svg", Kind: "line", X: "s", Y: "y"}
	if err := p.Draw(&bytes.Buffer{}, table); err == nil || !strings.Contains(err.Error(), "column s has no numbers") {
		t.Errorf("a line over texts: %v", err)
	}
}

// TestReport holds that the page has its tables and pictures and asks nothing of a network.
func TestReport(t *testing.T) {
	s := parse(t, judged+"[[plot]]\nfile = \"a.svg\"\nkind = \"bar\"\nx = \"case\"\ny = \"tpot_ms\"\n")
	table := &experiments.Table{Columns: []string{"case", "status", "tpot_ms"}, Rows: [][]any{
		{"near", "ok", 105.0}, {"far", "ok", 150.0}, {"none", "infeasible", nil}, {"<script>", "ok", 1.0},
	}}
	a, err := experiments.Analyse(s, table)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := a.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"<svg", "it cannot fit", "&lt;script&gt;", "4 points: 3 ok, 1 infeasible"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, loads := range []string{"src=\"http", "href=\"http", "@import", "<link"} {
		if strings.Contains(page, loads) {
			t.Errorf("the page loads something: %s", loads)
		}
	}
	if md := a.Markdown(); !strings.Contains(md, "| far | tpot_ms | 100 | 150 | +50.0 % | differs |") {
		t.Errorf("markdown:\n%s", md)
	}
}
