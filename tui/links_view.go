package tui

import (
	"fmt"
	"strings"
	"time"

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
	foot := ""
	if sliderRow(sheetOf(a, n+1)) < 0 {
		foot = m.linksFoot(a.w - 6)
	}
	inner := m.paneBox(a, linksPane, "links from ↓ to →", foot)
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
	used := m.usedLinks()
	low, high := m.speeds()
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
	m.drawLinkSheet(sheetOf(a, n+1))
}

// drawLinkSheet describes the selected link where rows are left for it, and draws
// all of them where there are many.
func (m *Model) drawLinkSheet(a area) {
	row := sliderRow(a)
	if row < 0 {
		return
	}
	if row > 0 {
		x := a.text(1, 0, m.theme.text.strong(), linkName(m.question.Topology, m.from, m.to, m.oneWay))
		a.text(x+2, 0, m.theme.dim, clip(m.carried(), a.w-x-3))
	}
	m.drawSliders(a, linksPane)
	m.drawGraph(a.at(0, 4, a.w, a.h-4))
}

// carried says what a token spends on the selected link.
func (m *Model) carried() string {
	var there, back time.Duration
	for _, p := range m.answer.Parts {
		if d := m.answer.Plan.Topology.Devices; p.To >= 0 {
			switch names := m.question.Topology.Devices; [2]string{d[p.Device].Name, d[p.To].Name} {
			case [2]string{names[m.from].Name, names[m.to].Name}:
				there += p.Time
			case [2]string{names[m.to].Name, names[m.from].Name}:
				back += p.Time
			}
		}
	}
	switch {
	case there > 0 && back > 0:
		return fmt.Sprintf("%s a token, %s back", durationText(there), durationText(back))
	case there > 0:
		return durationText(there) + " a token"
	case back > 0:
		return durationText(back) + " a token on the way back"
	}
	return "not in use"
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
	bandwidth := q.Topology.Link(from, to).Bandwidth
	look := t.speed(speedShare(bandwidth, low, high))
	if q.off(from) || q.off(to) {
		look = t.border
	}
	if used[[2]string{q.Topology.Devices[from].Name, q.Topology.Devices[to].Name}] {
		look.bold, look.under = true, true
	}
	if from == m.from && to == m.to && m.pane == linksPane {
		look.reverse = true
	}
	a.right(a.w-1, 0, look, shortRate(float64(bandwidth)))
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
