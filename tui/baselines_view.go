package tui

import (
	"fmt"

	"github.com/edgeshard/edgeshard"
)

// drawBaselines sets the other solvers' plans beside this one.
func (m *Model) drawBaselines(a area) {
	t := &m.theme
	inner := a.box(t.border, t.dim, "baselines "+string(m.question.Objective), "")
	row, each, throughput := 0, 1, m.question.Objective == edgeshard.Throughput
	if m.answer.Plan == nil {
		return
	}
	if inner.h >= 3*(len(m.backend.Solvers)-1) {
		each = 3
	}
	mine := objectiveOf(m.answer.Plan, throughput)
	for _, name := range m.backend.Solvers {
		b, ok := m.baselines[name]
		if !ok || name == m.question.Solver {
			continue
		}
		inner.text(1, row, t.dim, pad(name, 10))
		if b.Plan == nil {
			inner.text(12, row, t.bad, "no plan fits")
		} else {
			v := objectiveOf(b.Plan, throughput)
			inner.text(12, row, t.text, objectiveText(v, throughput))
			text, look := factor(mine, v, throughput, t)
			inner.right(inner.w-1, row, look, text)
			if each > 1 {
				m.drawCells(inner.at(1, row+1, inner.w-2, 1), b.Plan)
			}
		}
		row += each
	}
}

// objectiveOf is what people compare plans by: the time of a token, or tokens a second.
func objectiveOf(p *edgeshard.Plan, throughput bool) float64 {
	if throughput {
		return p.Predicted.Throughput
	}
	return p.Predicted.MakespanS * 1000
}

func objectiveText(v float64, throughput bool) string {
	if throughput {
		return digits(v) + " tok/s"
	}
	return msText(v)
}

// factor says how much better mine is than theirs.
func factor(mine, theirs float64, more bool, t *theme) (string, style) {
	ratio := theirs / mine
	if more {
		ratio = mine / theirs
	}
	switch {
	case ratio > 1.0005:
		return fmt.Sprintf("×%.2f slower", ratio), t.good
	case ratio < 0.9995:
		return fmt.Sprintf("×%.2f faster", 1/ratio), t.bad
	}
	return "as fast", t.dim
}
