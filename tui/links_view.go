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
	devices := m.question.Topology.Devices
	n := len(devices)
	inner := m.paneBox(a, linksPane, "links from ↓ to →", m.linksFoot(a.w-6))
	label := min(m.nameWidth(10), 10)
	if n < 2 {
		return
	}
	cell := min(max((inner.w-label-2)/n, minLinkCell), maxLinkCell)
	rows, columns := min(inner.h-1, n), min((inner.w-label-2)/cell, n)
	if rows <= 0 || columns <= 0 {
		return
	}
	top, left := scroll(m.from, n, rows), scroll(m.to, n, columns)
	used, low, high := m.usedLinks(), math.Inf(1), 0.0
	eachLink(m.question.Topology, func(_, _ int, l topologies.Link) {
		low, high = min(low, float64(l.Bandwidth)), max(high, float64(l.Bandwidth))
	})
	for c := range columns {
		inner.right(label+2+(c+1)*cell-1, 0, m.lineLook(left+c == m.to), shortName(devices[left+c].Name, cell-1))
	}
	for r := range rows {
		inner.text(1, r+1, m.lineLook(top+r == m.from), clip(devices[top+r].Name, label))
		for c := range columns {
			m.drawLink(inner.at(label+2+c*cell, r+1, cell, 1), top+r, left+c, used, low, high)
		}
	}
	m.drawThumb(a, top, inner.h-1, n)
}

// linksFoot describes the selected link in w cells.
func (m *Model) linksFoot(w int) string {
	first, second := m.selectedOn(linksPane)
	if first == nil {
		return ""
	}
	q := &m.question
	foot := sliderText(first, q, 6) + "  " + second.name + " " + second.show(q)
	if textWidth(foot) > w {
		foot = first.show(q) + " " + second.show(q)
	}
	if names := linkName(q.Topology, m.from, m.to, m.oneWay) + "  "; textWidth(names+foot) <= w {
		foot = names + foot
	}
	return foot
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

// mostLooked is the most devices whose links are looked at to draw a frame: those
// of larger clusters are alike.
const mostLooked = 64

// eachLink calls do for the links between a cluster's first devices, and for those
// with its last ones.
func eachLink(t *topologies.Topology, do func(from, to int, l topologies.Link)) {
	n := len(t.Devices)
	look := indices(n)
	if n > mostLooked {
		look = append(look[:mostLooked/2:mostLooked/2], look[n-mostLooked/2:]...)
	}
	for _, i := range look {
		for _, j := range look {
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
