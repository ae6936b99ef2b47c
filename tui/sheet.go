package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"
)

// A Table is the results of a sweep.
type Table struct {
	Columns []string
	Rows    [][]string // as long as Columns
}

// A sheet shows a table; its rows can be sorted by the column under the cursor.
type sheet struct {
	title      string
	folder     string // of the sweep whose results it shows; "": of a file
	table      Table
	constant   int // columns left out, since all rows say the same
	top, at    int
	sorted     int // column, −1: as read
	descending bool
}

// newSheet shows the columns in which rows differ.
func newSheet(title string, t *Table) *sheet {
	s := &sheet{title: title, sorted: -1}
	var keep []int
	for c, name := range t.Columns {
		same := func(row []string) bool { return row[c] == t.Rows[0][c] }
		if len(t.Rows) > 1 && !slices.ContainsFunc(t.Rows, func(row []string) bool { return !same(row) }) {
			s.constant++
			continue
		}
		keep = append(keep, c)
		s.table.Columns = append(s.table.Columns, name)
	}
	for _, row := range t.Rows {
		kept := make([]string, len(keep))
		for i, c := range keep {
			kept[i] = row[c]
		}
		s.table.Rows = append(s.table.Rows, kept)
	}
	return s
}

func (s *sheet) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	next := *s
	m.overlay = &next
	rows := max(len(s.table.Rows)-1, 0)
	switch k.String() {
	case "up", "k":
		next.top = max(s.top-1, 0)
	case "down", "j":
		next.top = min(s.top+1, rows)
	case "pgup":
		next.top = max(s.top-10, 0)
	case "pgdown", "space":
		next.top = min(s.top+10, rows)
	case "left", "h":
		next.at = max(s.at-1, 0)
	case "right", "l":
		next.at = max(min(s.at+1, len(s.table.Columns)-1), 0)
	case "enter":
		next.sort()
	default:
		m.overlay = nil
	}
	return nil
}

// renewed is the sheet of a table that has changed, at the same place.
func (s *sheet) renewed(title string, t *Table) *sheet {
	next := newSheet(title, t)
	find := func(c int) int {
		if c < 0 || c >= len(s.table.Columns) {
			return -1
		}
		return slices.Index(next.table.Columns, s.table.Columns[c])
	}
	next.folder, next.descending = s.folder, s.descending
	next.at, next.sorted, next.top = max(find(s.at), 0), find(s.sorted), min(s.top, max(len(t.Rows)-1, 0))
	if next.sorted >= 0 {
		next.order()
	}
	return next
}

// sort sorts by the column under the cursor, the second time the other way.
func (s *sheet) sort() {
	if len(s.table.Columns) == 0 {
		return
	}
	s.descending = s.sorted == s.at && !s.descending
	s.sorted, s.top = s.at, 0
	s.table.Rows = slices.Clone(s.table.Rows)
	s.order()
}

// order sorts the rows by the column they are sorted by.
func (s *sheet) order() {
	slices.SortStableFunc(s.table.Rows, func(a, b []string) int {
		n := compareCells(a[s.sorted], b[s.sorted])
		if s.descending {
			return -n
		}
		return n
	})
}

// compareCells compares numbers as such, and other texts after them.
func compareCells(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Compare(x, y)
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

func (s *sheet) draw(m *Model, screen area) {
	foot := "←→ column  enter sort  esc leave"
	if s.constant > 0 {
		foot = plural(s.constant, "column") + " of one value left out  " + foot
	}
	inner := popup(m, screen, screen.w-2, screen.h-2, fmt.Sprintf("%s: %s", s.title, plural(len(s.table.Rows), "row")), foot)
	s.drawTable(&m.theme, inner)
}

// drawTable draws the columns around the one under the cursor.
func (s *sheet) drawTable(t *theme, inner area) {
	x := 1
	for c := s.first(inner.w); c < len(s.table.Columns) && x < inner.w; c++ {
		w := s.width(c)
		look := t.dim
		if c == s.at {
			look = t.focus.strong()
		}
		inner.at(x, 0, w, 1).right(min(w, inner.w-x), 0, look, s.heading(c))
		for y := range min(len(s.table.Rows)-s.top, inner.h-1) {
			inner.at(x, y+1, w, 1).right(min(w, inner.w-x), 0, t.text, clip(cellDigits(s.table.Rows[s.top+y][c]), w))
		}
		x += w + 2
	}
}

// first is the first column shown, so that the one under the cursor is seen.
func (s *sheet) first(room int) int {
	first := max(s.at, 0)
	for used := s.width(first); first > 0 && used+s.width(first-1)+2 < room-2; first-- {
		used += s.width(first-1) + 2
	}
	return first
}

func (s *sheet) heading(c int) string {
	name := clip(s.table.Columns[c], s.width(c)-1)
	switch {
	case c != s.sorted:
		return name
	case s.descending:
		return name + "▼"
	}
	return name + "▲"
}

// width is that of a column, 6 to 24 cells.
func (s *sheet) width(c int) int {
	if c >= len(s.table.Columns) {
		return 0
	}
	w := textWidth(s.table.Columns[c]) + 1
	for _, row := range s.table.Rows[:min(len(s.table.Rows), 200)] {
		w = max(w, textWidth(cellDigits(row[c])))
	}
	return min(max(w, 6), 24)
}

// cellDigits shortens numbers with many digits.
func cellDigits(text string) string {
	if v, err := strconv.ParseFloat(text, 64); err == nil && len(text) > 8 {
		return fmt.Sprintf("%.5g", v)
	}
	return text
}
