package tui

import (
	"math"

	"github.com/edgeshard/edgeshard/topologies"
)

// mostDrawn is the most devices whose links are drawn as a graph.
const mostDrawn = 24

// A sketch is dots of braille, two by four to a cell.
type sketch struct {
	area area
	dots map[[2]int]rune
	look map[[2]int]style
}

// brailleBit is the bit of the dot at column and row of a cell.
var brailleBit = [2][4]rune{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

// line draws dots from one point to another, in dots from the area's corner.
func (s *sketch) line(x0, y0, x1, y1 float64, look style) {
	n := int(math.Ceil(max(math.Abs(x1-x0), math.Abs(y1-y0), 1)))
	for i := range n + 1 {
		u := float64(i) / float64(n)
		x, y := int(math.Round(x0+u*(x1-x0))), int(math.Round(y0+u*(y1-y0)))
		if x < 0 || y < 0 {
			continue
		}
		cell := [2]int{x / 2, y / 4}
		s.dots[cell] |= brailleBit[x%2][y%4]
		s.look[cell] = look
	}
}

func (s *sketch) draw() {
	for cell, dots := range s.dots {
		s.area.put(cell[0], cell[1], s.look[cell], string(0x2800+dots))
	}
}

// drawGraph draws the devices on a ring and the links between them, coloured by
// speed; the ways a token takes are drawn full, the others faintly. Of many
// devices the links like most are left out.
func (m *Model) drawGraph(a area) {
	n := len(m.question.Topology.Devices)
	if a.h < 7 || a.w < 30 || n < 2 || n > mostDrawn {
		return
	}
	names := m.nameWidth(10)
	place := func(i int) (x, y float64) {
		angle := 2*math.Pi*float64(i)/float64(n) - math.Pi/2
		return float64(a.w-1)/2 + float64(a.w-2*names-6)/2*math.Cos(angle), float64(a.h-1)/2 + (float64(a.h)/2-1.5)*math.Sin(angle)
	}
	s := sketch{a, make(map[[2]int]rune), make(map[[2]int]style)}
	m.eachGraphLink(func(i, j int, look style) {
		x0, y0 := place(i)
		x1, y1 := place(j)
		s.line(2*x0+1, 4*y0+2, 2*x1+1, 4*y1+2, look)
	})
	s.draw()
	for i := range n {
		x, y := place(i)
		m.drawNode(a, i, int(math.Round(x)), int(math.Round(y)))
	}
}

// eachGraphLink calls do for the pairs of devices to draw, those that a token
// passes last.
func (m *Model) eachGraphLink(do func(i, j int, look style)) {
	top, used := m.question.Topology, m.usedLinks()
	low, high := m.speeds()
	look := func(i, j int) style {
		return m.theme.speed(speedShare(max(top.Link(i, j).Bandwidth, top.Link(j, i).Bandwidth), low, high))
	}
	taken := func(i, j int) bool {
		a, b := top.Devices[i].Name, top.Devices[j].Name
		return used[[2]string{a, b}] || used[[2]string{b, a}]
	}
	usual := usualLink(top).Bandwidth
	if len(top.Devices) <= 8 {
		usual = 0
	}
	for _, full := range []bool{false, true} {
		for i := range top.Devices {
			for j := range i {
				dull := !full && usual > 0 && top.Link(i, j).Bandwidth == usual && top.Link(j, i).Bandwidth == usual
				if taken(i, j) != full || dull || m.question.off(i) || m.question.off(j) {
					continue
				}
				l := look(i, j)
				l.faint = !full
				do(i, j, l)
			}
		}
	}
}

// drawNode draws a device of the graph with its name outside of the ring.
func (m *Model) drawNode(a area, i, x, y int) {
	t, d := &m.theme, &m.question.Topology.Devices[i]
	_, works := m.memoryOf(d.Name)
	look, glyph := t.device(i), "●"
	switch {
	case m.question.off(i):
		look, glyph = t.dim, "○"
	case !works:
		glyph = "·"
	}
	a.put(x, y, look.strong(), glyph)
	name := clip(d.Name, 10)
	text := t.dim
	if works {
		text = look
	}
	switch {
	case x < a.w/2-2:
		a.right(x-1, y, text, name)
	case x > a.w/2+1:
		a.text(x+2, y, text, name)
	case y < a.h/2:
		a.text(x-textWidth(name)/2, y-1, text, name)
	default:
		a.text(x-textWidth(name)/2, y+1, text, name)
	}
}

// speeds are the slowest and the fastest link's bandwidths.
func (m *Model) speeds() (low, high float64) {
	low = math.Inf(1)
	eachLink(m.question.Topology, func(_, _ int, l topologies.Link) {
		low, high = min(low, float64(l.Bandwidth)), max(high, float64(l.Bandwidth))
	})
	return low, high
}

// speedShare is where a bandwidth is between the slowest and the fastest.
func speedShare(b topologies.BitRate, low, high float64) float64 {
	if high <= low {
		return 1
	}
	return onLog(float64(b), low, high)
}
