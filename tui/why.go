package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// explainTimeout is how long an explanation may take.
const explainTimeout = 60 * time.Second

// why is the asking for explanations: one at a time.
type why struct {
	worker *worker
	rev    int
}

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

// askWhy has the solver explain what is selected, and shows what it finds as it
// finds it.
func (m *Model) askWhy() tea.Cmd {
	s, title := m.subject()
	m.why.rev++
	x := &explanation{page: page{title: "why " + title}, rev: m.why.rev, pending: true}
	m.overlay = x
	q, rev, w, explain := m.question, x.rev, m.why.worker, m.backend.Explain
	found := make(chan whyMsg, 1)
	work := func() tea.Msg {
		last := whyMsg{rev: rev, found: found, done: true}
		if !w.do(rev, func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, explainTimeout)
			defer cancel()
			last.err = explain(ctx, &q, s, func(lines []string) {
				last.lines = lines
				latest(found, whyMsg{rev: rev, found: found, lines: lines})
			})
		}) {
			last.err = context.Canceled
		}
		latest(found, last)
		return nil
	}
	return tea.Batch(work, next(found), m.spinLater())
}

// A whyMsg is all that has been found so far.
type whyMsg struct {
	rev   int
	found <-chan whyMsg
	lines []string
	done  bool
	err   error
}

// latest puts a message in a channel of one, in place of one not yet taken. There
// is one sender.
func latest(c chan whyMsg, msg whyMsg) {
	select {
	case <-c:
	default:
	}
	c <- msg
}

func next(found <-chan whyMsg) tea.Cmd {
	return func() tea.Msg { return <-found }
}

// explained shows what has been found, if it is still wanted.
func (m *Model) explained(msg whyMsg) tea.Cmd {
	if x, ok := m.overlay.(*explanation); ok && x.rev == msg.rev {
		now := *x
		now.lines, now.pending = msg.lines, !msg.done
		if msg.err != nil {
			now.lines = append(now.lines[:len(now.lines):len(now.lines)], msg.err.Error())
		}
		m.overlay = &now
	}
	if msg.done {
		return nil
	}
	return next(msg.found)
}

// An explanation is a page that is still being written; leaving it ends the work.
type explanation struct {
	page
	rev     int
	pending bool
}

func (x *explanation) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	cmd := x.page.key(m, k)
	if p, stays := m.overlay.(*page); stays {
		m.overlay = &explanation{*p, x.rev, x.pending}
		return cmd
	}
	m.why.rev++
	w, rev := m.why.worker, m.why.rev
	return func() tea.Msg { w.announce(rev); return nil }
}

func (x *explanation) draw(m *Model, screen area) {
	p := x.page
	if x.pending {
		p.lines = append(p.lines[:len(p.lines):len(p.lines)], spinner(m.spin)+" asking the solver …")
	}
	p.draw(m, screen)
}
