package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard"
)

// A segment is a stage's place on the strip.
type segment struct{ x, w int }

// placeStages gives each stage cells in proportion to its units, at least one,
// with a gap after each.
func placeStages(p *edgeshard.Plan, width int) []segment {
	units, room := p.Model.Config.Units(), width-len(p.Stages)+1
	segments := make([]segment, len(p.Stages))
	x := 0
	for i, s := range p.Stages {
		w := max(1, s.To*room/units-s.From*room/units)
		w = min(w, max(1, width-x-2*(len(p.Stages)-1-i)))
		segments[i] = segment{x, w}
		x += w + 1
	}
	return segments
}

// drawStrip draws the model's units coloured by device, with the cuts.
func (m *Model) drawStrip(a area) {
	p := m.answer.Plan
	if p == nil {
		inner := m.paneBox(a, planPane, "plan", "")
		m.drawNoPlan(inner)
		return
	}
	title := fmt.Sprintf("plan: %s in %s", p.Model.Config.Name, plural(len(p.Stages), "stage"))
	foot := solvedText(&m.answer)
	if m.pane == planPane {
		foot = m.unitText(p)
	}
	inner := m.paneBox(a, planPane, title, foot)
	inner = inner.at(1, 0, inner.w-2, inner.h)
	segments := placeStages(p, inner.w)
	blocks := min(max(1, inner.h-3), 2)
	if inner.h < 4 {
		blocks = inner.h - 2
	}
	for i, s := range p.Stages {
		m.drawStage(inner, segments[i], s, blocks)
	}
	if rows := inner.h - blocks - 2; rows > 2 && len(m.answer.Parts) <= rows {
		m.drawWaterfall(inner.at(0, blocks+2, inner.w, rows), p)
	} else if inner.h >= 4 {
		m.drawTimes(inner.at(0, inner.h-1, inner.w, 1), p)
	}
	if m.pane == planPane {
		m.drawUnitCursor(inner, p, segments, blocks)
	}
}

// drawNoPlan says why there is none, where the plan would be.
func (m *Model) drawNoPlan(a area) {
	if m.answer.Err == nil {
		a.text(1, 0, m.theme.dim, "solving…")
		return
	}
	y := 0
	for _, reason := range strings.Split(m.answer.Err.Error(), "; ") {
		for _, line := range wrap(reason, a.w-2) {
			a.text(1, y, m.theme.bad, line)
			y++
		}
	}
}

// stageName writes a device's name above its stage, as far as it fits.
func stageName(name string, w int) string {
	switch {
	case w < 3:
		return ""
	case w < len(name):
		return shortName(name, w)
	}
	return name
}

func (m *Model) drawStage(a area, at segment, s edgeshard.Stage, blocks int) {
	look, block := m.colorOf(s.Name)
	a.text(at.x, 0, look, stageName(s.Name, at.w))
	for y := range blocks {
		a.text(at.x, 1+y, look, strings.Repeat(block, at.w))
	}
	units := unitsText(s)
	if textWidth(units) <= at.w {
		a.text(at.x, 1+blocks, m.theme.dim, units)
	}
}

// unitsText names a stage's units.
func unitsText(s edgeshard.Stage) string {
	if s.To-s.From == 1 {
		return fmt.Sprint(s.From)
	}
	return fmt.Sprintf("%d–%d", s.From, s.To-1)
}

// drawTimes draws where a token's time goes: computing as blocks in the device's
// colour, links as dashes.
func (m *Model) drawTimes(a area, p *edgeshard.Plan) {
	var total time.Duration
	for _, part := range m.answer.Parts {
		total += part.Time
	}
	if total <= 0 {
		return
	}
	label := a.text(0, 0, m.theme.dim, "time ")
	a = a.at(label, 0, a.w-label, 1)
	var sum time.Duration
	for _, part := range m.answer.Parts {
		from := int(float64(a.w) * float64(sum) / float64(total))
		sum += part.Time
		to := int(float64(a.w) * float64(sum) / float64(total))
		look, text := m.theme.dim, "╌"
		if part.To < 0 {
			look, _ = m.colorOf(p.Topology.Devices[part.Device].Name)
			text = "▬"
		}
		a.text(from, 0, look, strings.Repeat(text, to-from))
	}
}

// drawWaterfall draws the parts of a token's time below one another, each where
// it begins.
func (m *Model) drawWaterfall(a area, p *edgeshard.Plan) {
	var total, sum time.Duration
	for _, part := range m.answer.Parts {
		total += part.Time
	}
	if total <= 0 {
		return
	}
	const name, figure = 22, 10
	d, bars := p.Topology.Devices, a.at(name+figure+1, 0, a.w-name-figure-1, a.h)
	for y, part := range m.answer.Parts {
		look, _ := m.colorOf(d[part.Device].Name)
		text, block := d[part.Device].Name, "▬"
		if part.To >= 0 {
			look, text, block = m.theme.dim, "→ "+d[part.To].Name, "╌"
		}
		from := int(float64(bars.w) * float64(sum) / float64(total))
		sum += part.Time
		to := max(int(float64(bars.w)*float64(sum)/float64(total)), from+1)
		a.text(0, y, look, clip(text, name-1))
		a.right(name+figure-1, y, m.theme.text, durationText(part.Time))
		bars.text(from, y, look, strings.Repeat(block, to-from))
	}
}

// stageOf returns the stage that has a unit.
func stageOf(p *edgeshard.Plan, unit int) int {
	for i, s := range p.Stages {
		if unit >= s.From && unit < s.To {
			return i
		}
	}
	return len(p.Stages) - 1
}

func (m *Model) drawUnitCursor(a area, p *edgeshard.Plan, segments []segment, blocks int) {
	i := stageOf(p, m.unit)
	s, at := p.Stages[i], segments[i]
	x := at.x + (m.unit-s.From)*at.w/max(s.To-s.From, 1)
	a.put(x, blocks, m.theme.select_.with(m.theme.focus.fg).strong(), "◆")
}

// unitText describes the unit under the cursor.
func (m *Model) unitText(p *edgeshard.Plan) string {
	what := fmt.Sprintf("block %d", m.unit)
	switch m.unit {
	case 0:
		what = "embedding"
	case p.Model.Config.Units() - 1:
		what = "head"
	}
	return fmt.Sprintf("unit %d, %s, on %s: %s", m.unit, what, p.Stages[stageOf(p, m.unit)].Name, pinText(&m.question, m.unit))
}
