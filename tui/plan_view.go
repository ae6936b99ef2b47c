package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard/topologies"
)

// planLayout is where the parts of the plan's screen are.
type planLayout struct {
	fields, devices, links, strip, prediction, baselines area
}

// layoutPlan divides the screen: three columns where there is room, else two.
func (m *Model) layoutPlan(a area) planLayout {
	var l planLayout
	_, lines := m.placeFields(a.w)
	l.fields, a = a.top(lines)
	strip := 5
	switch {
	case a.h >= 46:
		strip = 16
	case a.h >= 30:
		strip = 7
	case a.h >= 26:
		strip = 6
	}
	middle, rest := a.top(a.h - strip)
	l.strip = rest
	if a.w >= 110 {
		right := max(39, a.w*27/100)
		links := 5 + min(m.nameWidth(10), 10) + minLinkCell*len(m.question.Topology.Devices)
		l.devices, middle = middle.left(max(44, min(a.w*38/100, a.w-right-links)))
		l.links, middle = middle.left(middle.w - right)
		l.prediction, l.baselines = middle.top(min(predictionRows+2, middle.h-4))
		return l
	}
	upper, lower := middle.top(max(middle.h*62/100, min(predictionRows+2, middle.h-5)))
	l.devices, l.prediction = upper.left(a.w * 54 / 100)
	l.links, l.baselines = lower.left(a.w * 54 / 100)
	return l
}

func (m *Model) drawPlan(a area) {
	l := m.layoutPlan(a)
	m.drawFields(l.fields)
	m.drawDevices(l.devices)
	m.drawLinks(l.links)
	m.drawStrip(l.strip)
	m.drawPrediction(l.prediction)
	m.drawBaselines(l.baselines)
}

// A field is where a knob of the question stands.
type field struct{ x, y, w int }

// placeFields flows the question's knobs over lines of a width.
func (m *Model) placeFields(width int) (fields []field, lines int) {
	x, y := 1, 0
	for _, k := range m.backend.knobs() {
		w := textWidth(k.name) + 1 + textWidth(k.show(&m.question)) + 2
		if x+w > width && x > 1 {
			x, y = 1, y+1
		}
		fields = append(fields, field{x, y, w})
		x += w + 1
	}
	return fields, y + 1
}

// knobsPerRow is how far the line below is, in knobs.
func (m *Model) knobsPerRow() int {
	fields, lines := m.placeFields(m.width)
	return (len(fields) + lines - 1) / lines
}

func (m *Model) drawFields(a area) {
	fields, _ := m.placeFields(a.w)
	for i, k := range m.backend.knobs() {
		f, name, value := fields[i], m.theme.dim, m.theme.text.strong()
		if m.pane == questionPane && i == m.knob && m.overlay == nil {
			name, value = m.theme.select_, m.theme.select_.strong()
			a.text(f.x-1, f.y, m.theme.focus, "▸")
		}
		x := a.text(f.x, f.y, name, k.name+" ")
		a.text(x, f.y, value, k.show(&m.question))
	}
	if k, track := m.fieldSlider(a); k != nil {
		m.drawTrack(track, k, true)
	}
}

// scroll returns the first of n rows to show so that the selected one is seen.
func scroll(selected, n, rows int) int {
	return min(max(selected-rows/2, 0), max(n-rows, 0))
}

func (m *Model) drawDevices(a area) {
	q := &m.question
	n := len(q.Topology.Devices)
	first, second := m.selectedOn(devicesPane)
	title := fmt.Sprintf("devices %d of %d work", len(m.working()), n)
	foot := sliderText(first, q, 8) + "  " + second.name + " " + second.show(q)
	switch {
	case sliderRow(sheetOf(a, n)) >= 0:
		foot = "" // the sliders tell
	case textWidth(foot) > a.w-6:
		foot = sliderText(first, q, 0) + "  " + second.name + " " + second.show(q)
	}
	inner := m.paneBox(a, devicesPane, title, foot)
	top := scroll(m.device, n, inner.h)
	for row := range min(inner.h, n-top) {
		m.drawDevice(inner.at(0, row, inner.w, 1), top+row)
	}
	m.drawThumb(a, top, inner.h, n)
	m.drawSheet(sheetOf(a, n))
}

// drawSheet describes the selected device where rows are left for it.
func (m *Model) drawSheet(a area) {
	t, d, row := &m.theme, &m.question.Topology.Devices[m.device], sliderRow(a)
	if row < 0 {
		return
	}
	if row > 0 {
		x := a.text(1, 0, t.device(m.device).strong(), d.Name)
		a.text(x+2, 0, t.dim, clip(m.does(d.Name), a.w-x-3))
	}
	m.drawSliders(a, devicesPane)
	lines := [][2]string{{"computes", fmt.Sprintf("%s, reads %s", d.FLOPS, d.MemoryBandwidth)}}
	if d.Profile != "" {
		lines[0][1] = "by profile " + d.Profile
	}
	lines = append(lines, [2]string{"installed", d.Memory.String()})
	if d.ActivePower > 0 {
		lines = append(lines, [2]string{"power", fmt.Sprintf("%s at work, %s idle", d.ActivePower, d.IdlePower)})
	}
	if d.Address != "" {
		lines = append(lines, [2]string{"address", d.Address})
	}
	for i, l := range lines {
		a.text(3, row+2+i, t.dim, l[0])
		a.text(sliderName, row+2+i, t.text, clip(l[1], a.w-sliderName-1))
	}
}

// does says which units the plan has on a device, and what a token spends there.
func (m *Model) does(name string) string {
	p := m.answer.Plan
	if p == nil {
		return ""
	}
	var units []string
	for _, s := range p.Stages {
		if s.Name == name {
			units = append(units, unitsText(s))
		}
	}
	if len(units) == 0 {
		return "idle: w asks why"
	}
	var spent time.Duration
	for _, part := range m.answer.Parts {
		if part.To < 0 && p.Topology.Devices[part.Device].Name == name {
			spent += part.Time
		}
	}
	return fmt.Sprintf("units %s, %s a token", strings.Join(units, " and "), durationText(spent))
}

// drawThumb marks on the right border which part of n rows is seen.
func (m *Model) drawThumb(a area, top, rows, n int) {
	if n <= rows || rows <= 0 {
		return
	}
	from, to := top*rows/n, max((top+rows)*rows/n, top*rows/n+1)
	for y := from; y < to; y++ {
		a.put(a.w-1, 1+y, m.theme.dim, "┃")
	}
}

// selectedOn returns a pane's knobs, whichever pane has the keys.
func (m *Model) selectedOn(p pane) (first, second *knob) {
	c := *m
	c.pane = p
	return c.selected()
}

// working are the names of the devices that have a stage, in order.
func (m *Model) working() []string {
	var names []string
	if m.answer.Plan == nil {
		return nil
	}
	for _, s := range m.answer.Plan.Stages {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

func (m *Model) drawDevice(a area, i int) {
	t, q, d := &m.theme, &m.question, &m.question.Topology.Devices[i]
	look, name := t.device(i), t.text
	used, works := m.memoryOf(d.Name)
	glyph := "●"
	switch {
	case q.off(i):
		glyph, look, name = "○", t.dim, t.dim
	case !works:
		glyph, name = "·", t.dim
	}
	if i == m.device && m.pane == devicesPane {
		name.reverse = t.select_.reverse
		a.put(0, 0, t.focus, "▸")
		defer func() { a.tint(t.select_.bg) }()
	}
	a.put(1, 0, look, glyph)
	wide := m.nameWidth(14)
	a.text(3, 0, name, pad(d.Name, wide))
	a.text(4+wide, 0, t.dim, role(q.Topology, i))
	x, end := 6+wide, a.w-7
	m.drawMemory(a.at(x, 0, end-x, 1), used, q.Spec().Budget(i), look, i)
	if s := slowdown(d); s != 1 {
		a.right(a.w-1, 0, t.warn, "×"+digits(1/s))
	} else if q.off(i) {
		a.right(a.w-1, 0, t.dim, "off")
	}
}

// drawMemory draws a bar of used memory with its figures.
func (m *Model) drawMemory(a area, used, budget int64, look style, device int) {
	t := &m.theme
	figures := fmt.Sprintf("%5s/%s", shortBytes(used), shortBytes(budget))
	if used == 0 {
		figures = fmt.Sprintf("%5s/%s", "–", shortBytes(budget))
	}
	w := a.w - 12
	share := float64(used) / float64(max(budget, 1))
	if w > 0 {
		a.at(0, 0, w, 1).fill(t.border, "·")
		a.text(0, 0, look, bar(share, w, t.block(device)))
	}
	colour := t.dim
	if share > 1 {
		colour = t.bad
	} else if used > 0 {
		colour = t.text
	}
	a.text(max(w, 0)+1, 0, colour, figures)
}

// memoryOf returns what the plan needs of a device.
func (m *Model) memoryOf(name string) (int64, bool) {
	if m.answer.Plan == nil {
		return 0, false
	}
	n, ok := m.answer.Plan.Predicted.Memory[name]
	return n, ok
}

// nameWidth is the length of the longest device name, at most most.
func (m *Model) nameWidth(most int) int {
	w := 0
	for i := range m.question.Topology.Devices {
		if w = max(w, textWidth(m.question.Topology.Devices[i].Name)); w >= most {
			return most
		}
	}
	return w
}

// role marks the source and the cloud.
func role(t *topologies.Topology, i int) string {
	switch i {
	case t.Source:
		return "S"
	case t.Cloud:
		return "C"
	}
	return ""
}
