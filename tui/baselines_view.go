package tui

import (
	"fmt"

	"github.com/edgeshard/edgeshard"
)

// drawBaselines sets the other solvers' plans beside this one.
func (m *Model) drawBaselines(a area) {
	t, p := &m.theme, m.answer.Plan
	inner := a.box(t.border, t.dim, "baselines "+string(m.question.Objective), "")
	if p == nil {
		return
	}
	row, each := 0, 1
	if inner.h >= 3*(len(m.backend.Solvers)-1) {
		each = 3
	}
	for _, name := range m.backend.Solvers {
		b, ok := m.baselines[name]
		if !ok || name == m.question.Solver {
			continue
		}
		inner.text(1, row, t.dim, pad(name, 10))
		if b.Plan == nil {
			inner.text(12, row, t.bad, "no plan fits")
		} else {
			inner.text(12, row, t.text, objectiveText(b.Plan))
			text, look := factor(p, b.Plan, t)
			inner.right(inner.w-1, row, look, text)
			if each > 1 {
				m.drawCells(inner.at(1, row+1, inner.w-2, 1), b.Plan)
			}
		}
		row += each
	}
}

// objectiveOf is what people compare plans by, and how a better one is called:
// tokens a second, the energy of a request, or the time of the whole run.
func objectiveOf(p *edgeshard.Plan) (value float64, worse, better string) {
	switch p.Objective {
	case edgeshard.Throughput:
		return 1 / p.Predicted.Throughput, "slower", "faster"
	case edgeshard.Energy:
		return p.ObjectiveMJ / 1e3, "more", "less"
	}
	return p.Predicted.MakespanS * 1000, "slower", "faster"
}

func objectiveText(p *edgeshard.Plan) string {
	v, _, _ := objectiveOf(p)
	switch p.Objective {
	case edgeshard.Throughput:
		return digits(1/v) + " tok/s"
	case edgeshard.Energy:
		return digits(v) + " J"
	}
	return msText(v)
}

// factor says how much worse theirs is than mine.
func factor(mine, theirs *edgeshard.Plan, t *theme) (string, style) {
	a, worse, better := objectiveOf(mine)
	b, _, _ := objectiveOf(theirs)
	switch ratio := b / a; {
	case ratio > 1.0005:
		return fmt.Sprintf("×%.2f %s", ratio, worse), t.good
	case ratio < 0.9995:
		return fmt.Sprintf("×%.2f %s", 1/ratio, better), t.bad
	}
	return "as good", t.dim
}
