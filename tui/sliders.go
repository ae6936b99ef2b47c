package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Columns of a slider's row: its name, its track, its value.
const (
	sliderName  = 13
	sliderValue = 11
)

// A slider is a knob's track on the screen.
type slider struct {
	pane  pane
	track area
	knob  *knob
}

// sheetOf is the room below the rows of a pane of devices or links.
func sheetOf(pane area, rows int) area {
	inner := pane.at(1, 1, pane.w-2, pane.h-2)
	return inner.at(0, rows+1, inner.w, inner.h-rows-1)
}

// sliderRow is the first row of sliders in a sheet, −1 where there is no room; a
// title stands above it where there is some.
func sliderRow(sheet area) int {
	switch {
	case sheet.h >= 3 && sheet.w > sliderName+sliderValue+4:
		return 1
	case sheet.h == 2 && sheet.w > sliderName+sliderValue+4:
		return 0
	}
	return -1
}

// trackOf is where a slider's row has its track.
func trackOf(row area) area { return row.at(sliderName, 0, row.w-sliderName-sliderValue, 1) }

// sliders are those on the plan's screen.
func (m *Model) sliders(l planLayout) []slider {
	n := len(m.question.Topology.Devices)
	var all []slider
	add := func(p pane, sheet area) {
		first, second := m.selectedOn(p)
		row := sliderRow(sheet)
		if row < 0 || first == nil {
			return
		}
		for i, k := range []*knob{first, second} {
			all = append(all, slider{p, trackOf(sheet.at(0, row+i, sheet.w, 1)), k})
		}
	}
	add(devicesPane, sheetOf(l.devices, n))
	add(linksPane, sheetOf(l.links, n+1))
	if k, track := m.fieldSlider(l.fields); k != nil {
		all = append(all, slider{questionPane, track, k})
	}
	return all
}

// fieldSlider is that of the selected field of the question, where the fields
// leave room for it.
func (m *Model) fieldSlider(a area) (*knob, area) {
	fields, lines := m.placeFields(a.w)
	k := m.backend.knobs()[m.knob]
	last := fields[len(fields)-1]
	from := last.x + last.w + 2
	if m.pane != questionPane || k.slide == nil || a.w-from < 16 {
		return nil, area{}
	}
	w := min(a.w-from-2, 40)
	return &k, a.at(a.w-w-2, lines-1, w, 1)
}

// drawSliders draws a pane's sliders.
func (m *Model) drawSliders(sheet area, p pane) {
	row := sliderRow(sheet)
	first, second := m.selectedOn(p)
	if row < 0 || first == nil {
		return
	}
	for i, k := range []*knob{first, second} {
		line := sheet.at(0, row+i, sheet.w, 1)
		line.text(3, 0, m.theme.dim, k.name)
		m.drawTrack(trackOf(line), k, m.pane == p)
		line.right(line.w-1, 0, m.theme.text, k.show(&m.question))
	}
}

// drawTrack draws where a knob stands between its limits.
func (m *Model) drawTrack(a area, k *knob, active bool) {
	look := m.theme.dim
	if active {
		look = m.theme.focus.strong()
	}
	at := int(k.share(&m.question)*float64(a.w-1) + 0.5)
	a.text(0, 0, look, strings.Repeat("━", at))
	a.text(at, 0, m.theme.border, strings.Repeat("─", max(a.w-at, 0)))
	a.put(at, 0, look, "●")
}

// grab moves the slider under the pointer, which follows it until it is let go.
func (m *Model) grab(l planLayout, at tea.Mouse) (tea.Cmd, bool) {
	for _, s := range m.sliders(l) {
		if s.track.has(at.X, at.Y) {
			m.pane, m.dragged = s.pane, s.knob.label()
			return m.slide(s, at.X), true
		}
	}
	return nil, false
}

// drag follows the pointer with the slider that was grabbed.
func (m *Model) drag(l planLayout, at tea.Mouse) tea.Cmd {
	for _, s := range m.sliders(l) {
		if s.knob.label() == m.dragged {
			return m.slide(s, at.X)
		}
	}
	return nil
}

func (m *Model) slide(s slider, x int) tea.Cmd {
	share := float64(x-s.track.x) / float64(max(s.track.w-1, 1))
	q, err := s.knob.slide(m.question, min(max(share, 0), 1))
	if err == nil && s.knob.show(&q) == s.knob.show(&m.question) {
		return nil
	}
	return m.change(s.knob.label(), q, err)
}
