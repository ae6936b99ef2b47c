package tui

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/topologies"
)

// A row compares one thing of all scenarios.
type row struct {
	name  string
	cells []string
	good  []int // −1 worse than the first, 1 better; nil: no matter of better
}

// rows compare the present question with those kept: what came out, and what was
// asked, first that in which they differ.
func (m *Model) rows() []row {
	questions, plans := []*Question{&m.question}, []*edgeshard.Plan{m.answer.Plan}
	for i := range m.scenarios.entries {
		questions, plans = append(questions, &m.scenarios.entries[i].Question), append(plans, m.scenarios.entries[i].Plan)
	}
	rows := results(plans)
	outcomes := len(rows)
	ask := func(name string, text func(q *Question) string) {
		r := row{name: name}
		for _, q := range questions {
			r.cells = append(r.cells, text(q))
		}
		rows = append(rows, r)
	}
	ask("topology", func(q *Question) string { return q.Topology.Name })
	for _, k := range m.backend.knobs() {
		ask(k.name, k.show)
	}
	ask("out", func(q *Question) string { return fmt.Sprint(len(q.Off)) })
	ask("pins", func(q *Question) string { return fmt.Sprint(len(q.Pins)) })
	asked := slices.Concat(rows[outcomes:], differences(questions))
	slices.SortStableFunc(asked, func(a, b row) int { return cmp.Compare(a.same(), b.same()) })
	return append(rows[:outcomes:outcomes], asked...)
}

// same is 1 where all scenarios agree with the first, 0 where one differs.
func (r row) same() int {
	if slices.ContainsFunc(r.cells, func(c string) bool { return c != r.cells[0] }) {
		return 0
	}
	return 1
}

// results are the rows of what came out.
func results(plans []*edgeshard.Plan) []row {
	kinds := []struct {
		name string
		more bool
		of   func(p *edgeshard.Prediction) float64
		text func(float64) string
	}{
		{"TTFT", false, func(p *edgeshard.Prediction) float64 { return p.TTFTMS }, msText},
		{"TPOT", false, func(p *edgeshard.Prediction) float64 { return p.TPOTMS }, msText},
		{"tokens/s", true, func(p *edgeshard.Prediction) float64 { return p.Throughput }, digits},
		{"whole run", false, func(p *edgeshard.Prediction) float64 { return p.MakespanS * 1000 }, msText},
	}
	var rows []row
	for _, k := range kinds {
		r := row{name: k.name}
		for _, p := range plans {
			if p == nil {
				r.cells, r.good = append(r.cells, "–"), append(r.good, 0)
				continue
			}
			better := 0
			if plans[0] != nil {
				better = sign(k.of(&plans[0].Predicted), k.of(&p.Predicted), k.more)
			}
			r.cells, r.good = append(r.cells, k.text(k.of(&p.Predicted))), append(r.good, better)
		}
		rows = append(rows, r)
	}
	stages := row{name: "stages"}
	for _, p := range plans {
		text := "–"
		if p != nil {
			text = fmt.Sprint(len(p.Stages))
		}
		stages.cells = append(stages.cells, text)
	}
	return append(rows, stages)
}

// sign tells whether b is better (1) or worse (−1) than a.
func sign(a, b float64, more bool) int {
	switch {
	case a == b:
		return 0
	case (b > a) == more:
		return 1
	}
	return -1
}

// differences are rows of the devices and links that differ from the first question's.
func differences(questions []*Question) []row {
	var rows []row
	base := questions[0].Topology
	each := func(name string, text func(t *topologies.Topology) string) {
		r, same := row{name: name}, true
		for _, q := range questions {
			r.cells = append(r.cells, text(q.Topology))
			same = same && r.cells[0] == r.cells[len(r.cells)-1]
		}
		if !same {
			rows = append(rows, r)
		}
	}
	each("devices", func(t *topologies.Topology) string { return fmt.Sprint(len(t.Devices)) })
	for i := range base.Devices {
		name := base.Devices[i].Name
		each(name, func(t *topologies.Topology) string {
			j, ok := t.Index(name)
			if !ok {
				return "none"
			}
			return fmt.Sprintf("%s ×%s", bytesText(int64(t.Devices[j].Usable)), digits(1/slowdown(&t.Devices[j])))
		})
	}
	if len(base.Devices) <= maxCompared {
		eachLink(base, func(from, to int, _ topologies.Link) {
			a, b := base.Devices[from].Name, base.Devices[to].Name
			each(a+"→"+b, func(t *topologies.Topology) string { return linkBetween(t, a, b) })
		})
	}
	return rows
}

// maxCompared is the most devices whose links are compared pair by pair.
const maxCompared = 40

func linkBetween(t *topologies.Topology, a, b string) string {
	from, ok := t.Index(a)
	to, also := t.Index(b)
	if !ok || !also {
		return "none"
	}
	l := t.Link(from, to)
	return shortRate(float64(l.Bandwidth)) + " " + durationText(l.Latency)
}

func (m *Model) drawScenarios(a area) {
	t, l, rows := &m.theme, &m.scenarios, m.rows()
	inner := a.box(t.border, t.dim, fmt.Sprintf("scenarios: the present question and %d kept", len(l.entries)), "highlighted: other than the present")
	names := []string{"now"}
	for _, e := range l.entries {
		names = append(names, e.Name)
	}
	const label = 14
	cell := min(max((inner.w-label)/(len(l.entries)+1), 16), 28)
	columns := max((inner.w-label-cell)/cell, 1)
	left := scroll(max(l.cursor-1, 0), len(l.entries), columns)
	l.top = min(l.top, max(len(rows)-inner.h+1, 0))
	for r := -1; r < min(len(rows)-l.top, inner.h-1); r++ {
		line := inner.at(0, r+1, inner.w, 1)
		for c := 0; c <= min(columns, len(l.entries)-left); c++ {
			i := c
			if c > 0 {
				i = left + c
			}
			at := line.at(label+c*cell, 0, cell, 1)
			if i == l.cursor {
				at.fill(t.select_, " ")
			}
			if r < 0 {
				at.right(cell-1, 0, m.scenarioLook(t.focus.strong(), i), clip(names[i], cell-2))
				continue
			}
			m.drawCell(at, &rows[l.top+r], i)
		}
		if r >= 0 {
			line.text(1, 0, t.dim, clip(rows[l.top+r].name, label-1))
		}
	}
	if len(l.entries) == 0 {
		inner.text(label+cell+3, 1, t.dim, clip("m keeps the present question here", inner.w-label-cell-4))
	}
}

// scenarioLook is a look on the background of a selected column.
func (m *Model) scenarioLook(s style, column int) style {
	if column == m.scenarios.cursor {
		s.bg, s.reverse = m.theme.select_.bg, m.theme.select_.reverse
	}
	return s
}

func (m *Model) drawCell(a area, r *row, column int) {
	t, text := &m.theme, r.cells[column]
	look := t.text
	if r.good == nil && r.same() == 1 && len(r.cells) > 1 {
		look = t.dim
	}
	if column > 0 && text != r.cells[0] {
		look = t.accent.strong()
		if r.good != nil {
			look = []style{t.bad, t.text, t.good}[1+r.good[column]]
		}
	}
	a.right(a.w-1, 0, m.scenarioLook(look, column), clip(text, a.w-2))
}
