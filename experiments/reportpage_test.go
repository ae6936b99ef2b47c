package experiments_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/experiments"
)

var shots = flag.String("shots", "", "write pictures of the report, as Chromium shows and prints it, into this folder")

// pageSpec is a small experiment with pictures of both formats, tables of each
// kind, numbers, texts and empty cells.
const pageSpec = `
name = "A page <to look at>"
question = "Do all the parts of a report work in a browser?"
repeats = 3
[base]
model = "llama2-13b"
topology = "edgeshard-testbed"
tokens = 8
rate_per_s = 2
[[axis]]
key = "solver"
values = ["exact", "edgeshard", "solo"]
[[axis]]
key = "requests"
values = [2, 10, 9]
[[axis]]
key = "precision"
values = ["f32", "q4_0"]
[[plot]]
file = "line.svg"
kind = "line"
title = "Time per token over the number of requests"
x = "requests"
y = "tpot_ms"
series = "solver"
[[plot]]
file = "bar.png"
kind = "bar"
x = "solver"
y = "throughput"
series = "precision"
[[compare]]
column = "solver"
a = "exact"
b = "edgeshard"
figure = "tpot_ms"
[[published]]
where = {solver = "exact", precision = "f32"}
figure = "tpot_ms"
value = 100
note = "a note"
`

// page runs the experiment and writes its report to a file.
func page(t *testing.T) string {
	t.Helper()
	spec := parse(t, pageSpec)
	s := &experiments.Sweep{Spec: spec, Version: "test"}
	results, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	a, err := experiments.Analyse(spec, experiments.NewTable(spec, "test", results))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := a.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestReportInBrowser opens the report from disk in Chromium: it asks for nothing
// else, its pictures are there, its tables sort, and it fits screen and paper.
func TestReportInBrowser(t *testing.T) {
	b := openBrowser(t)
	url := "file://" + page(t)
	b.open(url)
	if got := evaluate[string](b, `document.querySelector("h1").textContent`); got != "A page <to look at>" {
		t.Errorf("the heading is %q", got)
	}
	for _, u := range b.seen {
		if u != url && !strings.HasPrefix(u, "data:") {
			t.Errorf("the page asked for %s", u)
		}
	}
	sizes := evaluate[[][2]float64](b, `[...document.querySelectorAll("figure > *")].map(e => [e.getBoundingClientRect().width, e.tagName === "IMG" ? e.naturalWidth : e.querySelectorAll("path").length])`)
	if len(sizes) != 2 || sizes[0][0] < 200 || sizes[1][0] < 200 || sizes[0][1] < 5 || sizes[1][1] < 100 {
		t.Errorf("pictures' widths and contents: %v", sizes)
	}
	sorts(b)
	for _, width := range []int{1280, 800, 390} {
		b.screen(width, 900)
		if over := evaluate[float64](b, `document.documentElement.scrollWidth`) - float64(width); over > 0 {
			t.Errorf("on a screen of %d the page is %g wider", width, over)
		}
		b.shoot(width)
	}
	pdf := b.data("Page.printToPDF", map[string]any{"paperWidth": 8.27, "paperHeight": 11.69})
	if !bytes.HasPrefix(pdf, []byte("%PDF")) {
		t.Error("it does not print")
	}
	if *shots != "" {
		b.write("report.pdf", pdf)
	}
}

// sorts holds that a click on a column's head sorts by it, numbers as numbers and
// empty cells last, a second one the other way, and that the keyboard does too.
func sorts(b *browser) {
	b.Helper()
	column := func(name string) (head string, texts func() []string) {
		i := evaluate[int](b, fmt.Sprintf(`[...document.querySelectorAll("#results th")].findIndex(h => h.textContent === %q)`, name))
		read := fmt.Sprintf(`[...document.querySelectorAll("#results tbody tr")].map(r => r.cells[%d].textContent)`, i)
		return fmt.Sprintf("#results th:nth-child(%d)", i+1), func() []string { return evaluate[[]string](b, read) }
	}
	for _, c := range []struct{ name, first, last string }{{"requests", "2", "10"}, {"solver", "edgeshard", "solo"}} {
		head, texts := column(c.name)
		for _, want := range [][2]string{{c.first, c.last}, {c.last, c.first}} {
			b.click(head)
			if got := texts(); got[0] != want[0] || got[len(got)-1] != want[1] {
				b.Errorf("sorted by %s: from %s to %s, want %s to %s", c.name, got[0], got[len(got)-1], want[0], want[1])
			}
		}
	}
	head, texts := column("tpot_ms")
	evaluate[bool](b, `document.querySelector("`+head+`").focus(), true`)
	for _, kind := range []string{"keyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13}, nil)
	}
	got := texts()
	if n := slices.Index(got, ""); n < 1 || slices.ContainsFunc(got[n:], func(s string) bool { return s != "" }) {
		b.Errorf("rows without a figure are not last: %q", got)
	}
	if order := evaluate[string](b, `document.querySelector("`+head+`").getAttribute("aria-sort")`); order != "ascending" {
		b.Errorf("Enter sorts %q", order)
	}
}

// shoot writes a picture of the whole page, if asked to, and holds that it is one.
func (b *browser) shoot(width int) {
	b.Helper()
	data := b.data("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true})
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		b.Errorf("a screenshot: %v", err)
	}
	if *shots != "" {
		height := evaluate[float64](b, `document.documentElement.scrollHeight`)
		all := b.data("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
		b.write(map[int]string{1280: "desktop.png", 800: "tablet.png", 390: "phone.png"}[width], all)
	}
}

func (b *browser) write(name string, data []byte) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(*shots, name), data, 0o644); err != nil {
		b.Fatal(err)
	}
}
