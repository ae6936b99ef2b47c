package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard"
)

// scenarioList are the questions kept, to be compared with the present one.
type scenarioList struct {
	entries []Entry
	cursor  int // 0: the present question; i: entry i−1
	top     int // first row shown
}

// note gives kept questions the answer to the same question.
func (l *scenarioList) note(a Answer) {
	for i := range l.entries {
		if e := &l.entries[i]; e.Report == nil && sameQuestion(&e.Question, &a.Question) {
			l.entries = slices.Clone(l.entries)
			l.entries[i].Plan, l.entries[i].Report = a.Plan, a.Report
		}
	}
}

// sameQuestion tells whether two questions have one answer.
func sameQuestion(a, b *Question) bool {
	return a.Topology.Equal(b.Topology) && a.Model == b.Model && a.Objective == b.Objective && a.Solver == b.Solver &&
		a.Private == b.Private && a.Tail == b.Tail && slices.Equal(a.Off, b.Off) &&
		fmt.Sprint(a.Pins) == fmt.Sprint(b.Pins) && fmt.Sprint(a.Workload) == fmt.Sprint(b.Workload)
}

// add takes over entries that were read, under names of their own.
func (l *scenarioList) add(entries []Entry) {
	l.entries = slices.Clone(l.entries)
	for _, e := range entries {
		e.Name = l.free(e.Name)
		l.entries = append(l.entries, e)
	}
}

// free returns a name no entry has.
func (l *scenarioList) free(name string) string {
	taken := func(n string) bool {
		return slices.ContainsFunc(l.entries, func(e Entry) bool { return e.Name == n })
	}
	for i, base := 2, name; taken(name); i++ {
		name = fmt.Sprintf("%s (%d)", base, i)
	}
	return name
}

// keepScenario asks for a name and keeps the present question under it.
func (m *Model) keepScenario() tea.Cmd {
	m.prompt("keep this question as", m.scenarios.free(m.suggestedName()), func(m *Model, name string) (tea.Cmd, error) {
		if name == "" || m.scenarios.free(name) != name {
			return nil, errors.New("expected a name of its own")
		}
		e := Entry{Name: name, Question: m.question}
		if !m.pending {
			e.Plan, e.Report = m.answer.Plan, m.answer.Report
		}
		m.scenarios.entries = append(slices.Clone(m.scenarios.entries), e)
		m.say(fmt.Sprintf("kept %q: 2 compares scenarios", name))
		return m.keepSession(), nil
	})
	return nil
}

// suggestedName is what was changed last, or the model.
func (m *Model) suggestedName() string {
	if n := len(m.past); n > 0 && m.past[n-1].label != "" {
		label := m.past[n-1].label
		for _, k := range m.allKnobs() {
			if k.label() == label {
				return label + " " + k.show(&m.question)
			}
		}
	}
	q := &m.question
	return fmt.Sprintf("%s %s %s", q.Model.Config.Name, q.Model.Precision, q.Objective)
}

// allKnobs are the question's, and those of the selected device and link.
func (m *Model) allKnobs() []knob {
	all := m.backend.knobs()
	for _, p := range []pane{devicesPane, linksPane} {
		if first, second := m.selectedOn(p); first != nil {
			all = append(all, *first, *second)
		}
	}
	return all
}

func scenarioActions() []action {
	move := func(dx, dy int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd { m.scenarios.move(dx, dy); return nil }
	}
	return []action{
		{"scenario-left", []string{"left", "h"}, "←→ choose", "choose a scenario", onScenarios, move(-1, 0)},
		{"scenario-right", []string{"right", "l"}, "", "choose a scenario", onScenarios, move(1, 0)},
		{"scenario-up", []string{"up", "k"}, "", "scroll", onScenarios, move(0, -1)},
		{"scenario-down", []string{"down", "j"}, "", "scroll", onScenarios, move(0, 1)},
		{"scenario-take", []string{"enter"}, "enter take", "make the scenario the present question", onScenarios, (*Model).takeScenario},
		{"scenario-rename", []string{"n"}, "n rename", "rename the scenario", onScenarios, (*Model).renameScenario},
		{"scenario-remove", []string{"delete", "backspace"}, "del remove", "remove the scenario", onScenarios, (*Model).removeScenario},
	}
}

func (l *scenarioList) move(dx, dy int) {
	l.cursor = min(max(l.cursor+dx, 0), len(l.entries))
	l.top = max(l.top+dy, 0)
}

// chosen returns the entry under the cursor, or nil on the present question.
func (l *scenarioList) chosen() *Entry {
	if l.cursor < 1 || l.cursor > len(l.entries) {
		return nil
	}
	return &l.entries[l.cursor-1]
}

func (m *Model) takeScenario() tea.Cmd {
	e := m.scenarios.chosen()
	if e == nil {
		m.say("this is the present question")
		return nil
	}
	m.screen = planScreen
	return m.change("", e.Question, nil)
}

func (m *Model) renameScenario() tea.Cmd {
	e, at := m.scenarios.chosen(), m.scenarios.cursor-1
	if e == nil {
		return m.keepScenario()
	}
	m.prompt("rename", e.Name, func(m *Model, name string) (tea.Cmd, error) {
		if name == "" || m.scenarios.free(name) != name && name != m.scenarios.entries[at].Name {
			return nil, errors.New("expected a name of its own")
		}
		m.scenarios.entries = slices.Clone(m.scenarios.entries)
		m.scenarios.entries[at].Name = name
		return m.keepSession(), nil
	})
	return nil
}

func (m *Model) removeScenario() tea.Cmd {
	l := &m.scenarios
	if l.chosen() == nil {
		return nil
	}
	l.entries = slices.Delete(slices.Clone(l.entries), l.cursor-1, l.cursor)
	l.cursor = min(l.cursor, len(l.entries))
	return m.keepSession()
}

type scenarioMsg struct {
	name   string
	answer Answer
}

// simulate runs an answer's plan in virtual time.
func (b *Backend) simulate(ctx context.Context, a *Answer) {
	if a.Plan == nil || b.Sim == nil {
		return
	}
	rec := edgeshard.NewRecorder(a.Plan)
	if a.SimErr = b.Sim.Run(ctx, a.Plan, rec); a.SimErr == nil {
		a.Report = rec.Report("sim")
	}
}

// answerScenarios solves the first kept question that has no answer yet.
func (m *Model) answerScenarios() tea.Cmd {
	for _, e := range m.scenarios.entries {
		if e.Plan != nil || e.tried {
			continue
		}
		b := m.backend
		return func() tea.Msg {
			ctx, cancel := context.WithTimeout(context.Background(), explainTimeout)
			defer cancel()
			a := b.answer(ctx, e.Question)
			b.simulate(ctx, a)
			return scenarioMsg{e.Name, *a}
		}
	}
	return nil
}

func (m *Model) scenarioAnswered(msg scenarioMsg) tea.Cmd {
	m.scenarios.entries = slices.Clone(m.scenarios.entries)
	for i := range m.scenarios.entries {
		if e := &m.scenarios.entries[i]; e.Name == msg.name {
			e.Plan, e.Report, e.tried = msg.answer.Plan, msg.answer.Report, true
		}
	}
	return m.answerScenarios()
}
