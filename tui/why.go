package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// explainTimeout is how long an explanation may take.
const explainTimeout = 20 * time.Second

// subject is what the question Why? would be about.
func (m *Model) subject() (s Subject, title string) {
	s = Subject{Device: -1, From: -1, To: -1, Unit: -1}
	d := m.question.Topology.Devices
	switch m.pane {
	case devicesPane:
		s.Device = m.device
		return s, d[m.device].Name
	case linksPane:
		s.From, s.To = m.from, m.to
		return s, d[m.from].Name + " → " + d[m.to].Name
	}
	s.Unit = m.unit
	return s, fmt.Sprintf("unit %d", m.unit)
}

// askWhy has the solver explain what is selected.
func (m *Model) askWhy() tea.Cmd {
	s, title := m.subject()
	q, explain := m.question, m.backend.Explain
	m.say("asking the solver about " + title + " …")
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), explainTimeout)
		defer cancel()
		lines, err := explain(ctx, &q, s)
		if err != nil {
			return toldMsg{err.Error(), true}
		}
		return overlayMsg{&page{title: "why " + title, lines: lines}}
	}
}
