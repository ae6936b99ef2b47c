package tui

import (
	"fmt"
	"strings"
	"time"
)

// drawSweeps lists the sweeps, with the results of the selected one below.
func (m *Model) drawSweeps(a area) {
	l, t := &m.sweeps, &m.theme
	rows := min(max(len(l.all), 3), a.h/3)
	upper, lower := a.top(rows + 2)
	inner := upper.box(t.border, t.dim, "sweeps in this folder and below", "edgeshard sweep EXPERIMENT.toml runs one")
	m.drawSweepList(inner)
	if len(l.all) == 0 {
		return
	}
	s := l.all[l.at()]
	if l.table == nil || l.tabled.Folder != s.Folder {
		lower.box(t.border, t.dim, "results of "+s.Name, "")
		return
	}
	table := newSheet("", l.table)
	foot := "enter opens all"
	if table.constant > 0 {
		foot = plural(table.constant, "column") + " of one value left out  " + foot
	}
	inner = lower.box(t.border, t.dim, fmt.Sprintf("results of %s: %s", sheetTitle(l.tabled), plural(len(l.table.Rows), "row")), foot)
	table.at = -1
	table.drawTable(t, inner)
}

func (m *Model) drawSweepList(a area) {
	l, t := &m.sweeps, &m.theme
	switch {
	case l.err != nil:
		a.text(1, 0, t.bad, clip(l.err.Error(), a.w-2))
		return
	case !l.known:
		a.text(1, 0, t.dim, "looking …")
		return
	case len(l.all) == 0:
		a.text(1, 0, t.dim, clip("none here: n starts the sweep of an experiment's file", a.w-2))
		return
	}
	top := scroll(l.at(), len(l.all), a.h)
	name := 0
	for _, s := range l.all {
		name = max(name, textWidth(s.Name))
	}
	name = min(name, a.w/3)
	told := 0
	for _, s := range l.all {
		told = max(told, textWidth(sweepText(s)))
	}
	bar := min(a.w-name-told-8, 40)
	for y := range min(a.h, len(l.all)-top) {
		m.drawSweep(a.at(0, y, a.w, 1), l.all[top+y], name, bar, top+y == l.at())
	}
}

// drawSweep draws a sweep in a line: its name in so many cells, a bar, and how far
// it is.
func (m *Model) drawSweep(a area, s Sweep, name, w int, selected bool) {
	t := &m.theme
	glyph, look := "●", t.good
	switch s.State {
	case SweepEnded:
		glyph, look = "✓", t.dim
	case SweepStopped:
		glyph, look = "‖", t.warn
	}
	if selected {
		a.put(0, 0, t.focus, "▸")
		defer func() { a.tint(t.select_.bg) }()
	}
	a.put(1, 0, look, glyph)
	x := 3
	text := t.text
	if selected {
		text = text.strong()
	}
	a.text(x, 0, text, pad(s.Name, name))
	x += name + 1
	if w >= 6 {
		a.at(x, 0, w, 1).fill(t.border, "·")
		a.text(x, 0, look, bar(float64(s.Done)/float64(max(s.Points, 1)), w, t.block(0)))
		x += w + 1
	}
	look = t.dim
	if s.Error != "" {
		look = t.bad
	}
	a.text(x, 0, look, clip(sweepText(s), a.w-x-1))
}

// sweepText says how far a sweep is.
func sweepText(s Sweep) string {
	if s.Points == 0 && s.State == SweepEnded {
		return "ended " + s.Updated.Format("2 Jan 15:04")
	}
	parts := []string{fmt.Sprintf("%d of %d", s.Done, s.Points)}
	if s.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d without a result", s.Failed))
	}
	switch {
	case s.Error != "":
		parts = append(parts, "stopped: "+s.Error)
	case s.State == SweepStopped:
		parts = append(parts, "stopped "+s.Updated.Format("2 Jan 15:04"))
	case s.State == SweepEnded:
		parts = append(parts, "ended "+s.Updated.Format("2 Jan 15:04"))
	case s.Left > 0:
		parts = append(parts, s.Left.Round(time.Second).String()+" left")
	}
	return strings.Join(parts, "  ")
}
