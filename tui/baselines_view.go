package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard"
)

// drawBaselines sets the other solvers' plans beside this one.
func (m *Model) drawBaselines(a area) {
	t, p := &m.theme, m.answer.Plan
	inner := a.box(t.border, t.dim, "baselines "+string(m.question.Objective), "")
	if p == nil {
		return
	}
	names := slices.DeleteFunc(slices.Clone(m.backend.Solvers), func(name string) bool {
		_, known := m.baselines[name]
		return !known || name == m.question.Solver
	})
	others, each := len(m.backend.Solvers)-1, 1
	switch {
	case inner.h < others:
		m.drawBaselinesShort(inner, names)
		return
	case inner.h >= 3*others:
		each = 3
	}
	for i, name := range names {
		b, row := m.baselines[name], i*each
		inner.text(1, row, t.dim, pad(name, 10))
		if b.Plan == nil {
			inner.text(12, row, t.bad, "no plan fits")
			continue
		}
		inner.text(12, row, t.text, objectiveText(b.Plan))
		text, look := factor(p, b.Plan, t)
		inner.right(inner.w-1, row, look, text)
		if each > 1 {
			m.drawCells(inner.at(1, row+1, inner.w-2, 1), b.Plan)
		}
	}
}

// drawBaselinesShort sets them in two columns, by their factors alone.
func (m *Model) drawBaselinesShort(a area, names []string) {
	t, half := &m.theme, (len(names)+1)/2
	w := a.w / 2
	for i, name := range names {
		b, cell := m.baselines[name], a.at(i/max(half, 1)*w, i%max(half, 1), w, 1)
		cell.text(1, 0, t.dim, pad(name, 10))
		text, look := "no plan", t.bad
		if b.Plan != nil {
			text, look = factor(m.answer.Plan, b.Plan, t)
			text, _, _ = strings.Cut(text, " ")
			if look == t.dim {
				text = "equal"
			}
		}
		cell.right(w, 0, look, text)
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
