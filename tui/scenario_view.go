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
	questions, found := []*Question{&m.question}, []outcome{{m.answer.Plan, m.answer.Report}}
	for i := range m.scenarios.entries {
		e := &m.scenarios.entries[i]
		questions, found = append(questions, &e.Question), append(found, outcome{e.Plan, e.Report})
	}
	rows := results(found)
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

// An outcome is what came out for a question, as far as it is known.
type outcome struct {
	plan   *edgeshard.Plan
	report *edgeshard.Report
}

// An outcomeFigure is a figure of outcomes; 0 where it is not known.
type outcomeFigure struct {
	name string
	more bool
	of   func(o outcome) float64
	text func(float64) string
}

func predicted(of func(p *edgeshard.Prediction) float64) func(outcome) float64 {
	return func(o outcome) float64 {
		if o.plan == nil {
			return 0
		}
		return of(&o.plan.Predicted)
	}
}

func outcomeFigures() []outcomeFigure {
	return []outcomeFigure{
		{"TTFT", false, predicted(func(p *edgeshard.Prediction) float64 { return p.TTFTMS }), msText},
		{"TPOT", false, predicted(func(p *edgeshard.Prediction) float64 { return p.TPOTMS }), msText},
		{"tokens/s", true, predicted(func(p *edgeshard.Prediction) float64 { return p.Throughput }), digits},
		{"whole run", false, predicted(func(p *edgeshard.Prediction) float64 { return p.MakespanS * 1000 }), msText},
		{"energy", false, func(o outcome) float64 {
			if o.report == nil {
				return 0
			}
			return o.report.EnergyPerToken
		}, func(j float64) string { return digits(j) + " J/token" }},
	}
}

// results are the rows of what came out.
func results(outcomes []outcome) []row {
	var rows []row
	for _, k := range outcomeFigures() {
		r, first := row{name: k.name}, k.of(outcomes[0])
		for _, o := range outcomes {
			v := k.of(o)
			text, better := "–", 0
			if v > 0 {
				text = k.text(v)
				if first > 0 {
					better = sign(first, v, k.more)
				}
			}
			r.cells, r.good = append(r.cells, text), append(r.good, better)
		}
		rows = append(rows, r)
	}
	stages := row{name: "stages"}
	for _, o := range outcomes {
		text := "–"
		if o.plan != nil {
			text = fmt.Sprint(len(o.plan.Stages))
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
