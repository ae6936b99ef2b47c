package tui

import (
	"context"
	"testing"
)

// TestSweeps: what a sweep in progress has come to is shown as it comes, in the
// list and in the opened sheet, which stays where it is.
func TestSweeps(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.keys("6")
	d.want("123 of 500")
	d.want("4 without a result")
	d.want("stopped: interrupted")
	d.want("bandwidth-results so far: 50 rows")
	d.keys("enter", "enter", "enter", "down", "down")
	was := *d.m.overlay.(*sheet)
	more := fakeTable("x")
	more.Rows = append(more.Rows, []string{"y", "99", "0.5"})
	ended := Sweep{Folder: "a", Name: "bandwidth-results", Points: 51, Done: 51, State: SweepEnded, Results: "results.csv"}
	d.send(sweepsMsg{loop: d.m.sweeps.loop, all: []Sweep{ended}, table: more, tabled: ended})
	d.want("bandwidth-results: 51 rows")
	s := d.m.overlay.(*sheet)
	name := func(s *sheet, c int) string { return s.table.Columns[c] }
	if name(s, s.at) != name(&was, was.at) || name(s, s.sorted) != name(&was, was.sorted) || s.descending != was.descending || s.top != was.top {
		t.Errorf("the sheet moved: column %d of %v, row %d", s.at, s.table.Columns, s.top)
	}
	if got := s.table.Rows[0][s.sorted]; got != "99" {
		t.Errorf("first row has %s: want the new 99", got)
	}
	d.keys("esc")
	d.want("51 of 51")
	d.keys("down", "1")
	if loop := d.m.sweeps.loop; d.m.lookAgain(lookMsg{loop}) != nil {
		t.Error("sweeps are looked at after they were left")
	}
}

func TestStartSweep(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.keys("6", "n", "enter")
	d.want("want a key")
	d.keys("esc", "n")
	for range 20 {
		d.keys("backspace")
	}
	for _, c := range "good.toml" {
		d.keys(string(c))
	}
	d.keys("enter")
	d.want("sweeping into ./b")
	if d.m.sweeps.folder != "b" {
		t.Errorf("%s is selected: want b", d.m.sweeps.folder)
	}
	d.keys("delete")
	d.want("it does not stop")
	d.m.backend.Sweeps = func(context.Context) ([]Sweep, error) { return nil, nil }
	d.keys("1", "6", "enter", "down", "delete")
	d.want("none here")
}
