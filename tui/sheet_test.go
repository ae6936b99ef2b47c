package tui

import (
	"fmt"
	"testing"
)

func TestSheet(t *testing.T) {
	table := &Table{Columns: []string{"model", "bandwidth", "tpot_ms"}}
	for i := range 50 {
		table.Rows = append(table.Rows, []string{"llama2-7b", fmt.Sprint(i % 7), fmt.Sprint(1000.0 / float64(i+1))})
	}
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 80, 24)
	d.send(openedMsg{ref: "results.csv", opened: &Opened{Table: table}})
	d.want("results.csv: 50 rows")
	d.want("1 column of one value left out")
	d.keys("right", "enter", "enter", "down")
	d.golden("sheet-80x24")
	s := d.m.overlay.(*sheet)
	for i := 1; i < len(s.table.Rows); i++ {
		if compareCells(s.table.Rows[i-1][1], s.table.Rows[i][1]) < 0 {
			t.Fatalf("row %d is out of order", i)
		}
	}
	d.keys("esc")
	if d.m.overlay != nil {
		t.Error("esc does not leave the sheet")
	}
	d.send(openedMsg{ref: "empty.csv", opened: &Opened{Table: &Table{Columns: []string{"a"}}}})
	d.keys("right", "enter", "down", "left")
	d.want("empty.csv: 0 rows")
}
