package tui

import (
	"math"
	"strings"

	"github.com/edgeshard/edgeshard/topologies"
)

// Widths of a cell of the links' matrix.
const (
	minLinkCell = 5
	maxLinkCell = 8
)

// drawLinks draws the bandwidth from each device (row) to each other (column),
// coloured by speed, with those the plan uses underlined.
func (m *Model) drawLinks(a area) {
	q := &m.question
	n := len(q.Topology.Devices)
	first, second := m.selectedOn(linksPane)
	foot := ""
	if first != nil {
		foot = sliderText(first, q, 6) + "  " + second.name + " " + second.show(q)
		if textWidth(foot) > a.w-6 {
			foot = first.show(q) + " " + second.show(q)
		}
		devices := q.Topology.Devices
		if names := devices[m.from].Name + " → " + devices[m.to].Name + "  "; textWidth(names+foot) <= a.w-6 {
			foot = names + foot
		}
	}
	inner := m.paneBox(a, linksPane, "links from ↓ to →", foot)
	label := min(m.nameWidth(10), 10)
	if n < 2 {
		return
	}
	cell := min(max((inner.w-label-2)/n, minLinkCell), maxLinkCell)
	rows, columns := inner.h-1, (inner.w-label-2)/cell
	if rows <= 0 || columns <= 0 {
		return
	}
	top, left := scroll(m.from, n, rows), scroll(m.to, n, columns)
	used, low, high := m.usedLinks(), math.Inf(1), 0.0
	eachLink(q.Topology, func(_, _ int, l topologies.Link) {
		low, high = min(low, float64(l.Bandwidth)), max(high, float64(l.Bandwidth))
	})
	for c := range min(columns, n-left) {
		inner.right(label+2+(c+1)*cell-1, 0, m.lineLook(left+c == m.to), shortName(q.Topology.Devices[left+c].Name, cell-1))
	}
	for r := range min(rows, n-top) {
		from := top + r
		inner.text(1, r+1, m.lineLook(from == m.from), clip(q.Topology.Devices[from].Name, label))
		for c := range min(columns, n-left) {
			m.drawLink(inner.at(label+2+c*cell, r+1, cell, 1), from, left+c, used, low, high)
		}
	}
	m.drawThumb(a, top, rows, n)
}

// lineLook is the look of a row's or column's name.
func (m *Model) lineLook(selected bool) style {
	if selected && m.pane == linksPane {
		return m.theme.focus.strong()
	}
	return m.theme.dim
}

func (m *Model) drawLink(a area, from, to int, used map[[2]string]bool, low, high float64) {
	q, t := &m.question, &m.theme
	if from == to {
		a.right(a.w-1, 0, t.border, "·")
		return
	}
	bandwidth := float64(q.Topology.Link(from, to).Bandwidth)
	share := 1.0
	if high > low {
		share = onLog(bandwidth, low, high)
	}
	look := t.speed(share)
	if q.off(from) || q.off(to) {
		look = t.border
	}
	if used[[2]string{q.Topology.Devices[from].Name, q.Topology.Devices[to].Name}] {
		look.bold, look.under = true, true
	}
	if from == m.from && to == m.to && m.pane == linksPane {
		look.reverse = true
	}
	a.right(a.w-1, 0, look, shortRate(bandwidth))
}

// usedLinks are the links the plan's messages take, by the devices' names.
func (m *Model) usedLinks() map[[2]string]bool {
	used := make(map[[2]string]bool)
	for _, p := range m.answer.Parts {
		if p.To >= 0 {
			d := m.answer.Plan.Topology.Devices
			used[[2]string{d[p.Device].Name, d[p.To].Name}] = true
		}
	}
	return used
}

func eachLink(t *topologies.Topology, do func(from, to int, l topologies.Link)) {
	for i := range t.Devices {
		for j := range t.Devices {
			if i != j {
				do(i, j, t.Link(i, j))
			}
		}
	}
}

// shortName writes a name in w cells, with the number at its end.
func shortName(name string, w int) string {
	at := strings.LastIndex(name, "-")
	base, number := name[:max(at, 0)], name[at+1:]
	if at < 0 || len(number) >= w {
		return name[:min(len(name), w)]
	}
	return base[:min(len(base), w-len(number))] + number
}
