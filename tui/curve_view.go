package tui

import (
	"fmt"
	"math"
	"strings"

	"github.com/edgeshard/edgeshard"
)

// drawCurveScreen draws TPOT and throughput over the chosen value, with marks
// where the plan changes.
func (m *Model) drawCurveScreen(a area) {
	c, t, all := &m.curve, &m.theme, m.allKnobs()
	k := all[min(c.knob, len(all)-1)]
	state := fmt.Sprintf("%d of %d solved", c.done, len(c.points))
	if c.done == len(c.points) {
		state = "the plan changes " + times(len(c.flips()))
	}
	upper, rest := a.top((a.h - 6) / 2)
	lower, foot := rest.top(rest.h - 6)
	m.drawCurveOf(upper, "TPOT over "+k.label(), "ms", t.warn, func(p *edgeshard.Prediction) float64 { return p.TPOTMS })
	m.drawCurveOf(lower, "throughput over "+k.label(), "tokens/s", t.good, func(p *edgeshard.Prediction) float64 { return p.Throughput })
	inner := foot.box(t.border, t.dim, "at the cursor", state)
	m.drawCurvePoint(inner)
}

func (m *Model) drawCurveOf(a area, title, unit string, look style, of func(*edgeshard.Prediction) float64) {
	c, t := &m.curve, &m.theme
	inner := a.box(t.border, t.dim, title, unit)
	points := make([]point, len(c.points))
	for i, p := range c.points {
		points[i] = point{float64(i), math.NaN()}
		if p.plan != nil {
			points[i].y = of(&p.plan.Predicted)
		}
	}
	cells := m.chart(inner, points, look, func(x float64) string {
		return clip(c.points[int(math.Round(x))].label, 12)
	})
	if cells == nil {
		inner.text(1, 0, t.dim, "nothing solved yet")
		return
	}
	for _, i := range c.flips() {
		if cells[i].ok {
			inner.put(cells[i].x, cells[i].y, t.accent.strong(), "◇")
		}
	}
	if c.cursor < len(cells) && cells[c.cursor].ok {
		inner.put(cells[c.cursor].x, cells[c.cursor].y, t.focus.strong(), "◆")
	}
}

// drawCurvePoint tells what the point under the cursor is, with its plan.
func (m *Model) drawCurvePoint(a area) {
	c, t := &m.curve, &m.theme
	if c.cursor >= len(c.points) {
		return
	}
	p := c.points[c.cursor]
	x := a.spans(0, part{t.focus.strong(), p.label}, part{t.dim, "   "})
	switch {
	case p.failed:
		a.text(x, 0, t.bad, "no plan fits")
	case p.plan == nil:
		a.text(x, 0, t.dim, "solving")
	default:
		q := &p.plan.Predicted
		a.text(x, 0, t.text, fmt.Sprintf("TTFT %s   TPOT %s   %s tokens/s", msText(q.TTFTMS), msText(q.TPOTMS), digits(q.Throughput)))
		m.drawMiniStrip(a.at(1, 1, a.w-2, 2), p.plan)
	}
	a.text(1, 3, t.dim, "◆ cursor   ◇ the plan changes here")
}

// drawMiniStrip draws a plan's stages in two rows: names, and cells.
func (m *Model) drawMiniStrip(a area, p *edgeshard.Plan) {
	for i, at := range placeStages(p, a.w) {
		look, _ := m.colorOf(p.Stages[i].Name)
		a.text(at.x, 0, look, stageName(p.Stages[i].Name, at.w))
	}
	m.drawCells(a.at(0, 1, a.w, 1), p)
}

// drawCells draws a plan's stages in one row.
func (m *Model) drawCells(a area, p *edgeshard.Plan) {
	for i, at := range placeStages(p, a.w) {
		look, block := m.colorOf(p.Stages[i].Name)
		a.text(at.x, 0, look, strings.Repeat(block, at.w))
	}
}
