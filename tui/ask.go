package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard"
)

// spinEvery is how often a sign of life moves while an answer is sought.
const spinEvery = 120 * time.Millisecond

type spinMsg struct{}

func (m *Model) spinLater() tea.Cmd {
	return m.clock(spinEvery, func(time.Time) tea.Msg { return spinMsg{} })
}

// A clock makes a message after a while; tests have their own.
type clock func(time.Duration, func(time.Time) tea.Msg) tea.Cmd

// ask has the present question answered in the background.
func (m *Model) ask() tea.Cmd {
	q, rev, w, b := m.question, m.rev, m.worker, m.backend
	return func() tea.Msg {
		var a *Answer
		if !w.do(rev, func(ctx context.Context) { a = b.answer(ctx, q) }) {
			return nil
		}
		return answerMsg{rev, *a}
	}
}

type answerMsg struct {
	rev    int
	answer Answer
}

// answer solves.
func (b *Backend) answer(ctx context.Context, q Question) *Answer {
	start := time.Now()
	a := &Answer{Question: q}
	a.Plan, a.Err = b.Plan(ctx, &q)
	a.Took = time.Since(start)
	if a.Err != nil {
		return a
	}
	c, err := a.Plan.Costs()
	if err != nil {
		a.Plan, a.Err = nil, err
		return a
	}
	a.Parts = partsOf(a.Plan, c)
	return a
}

// simulate runs the answer's plan in virtual time.
func (m *Model) simulate() tea.Cmd {
	p, rev, w, sim := m.answer.Plan, m.rev, m.worker, m.backend.Sim
	if p == nil || sim == nil {
		return nil
	}
	return func() tea.Msg {
		rec := edgeshard.NewRecorder(p)
		var err error
		if !w.do(rev, func(ctx context.Context) { err = sim.Run(ctx, p, rec) }) {
			return nil
		}
		return simulatedMsg{rev, rec.Report("sim"), err}
	}
}

// further is what is worth finding out once a question is answered: what the other
// solvers make of it, then how sure its figures are.
func (m *Model) further() tea.Cmd {
	if cmd := m.compare(); cmd != nil {
		return cmd
	}
	return m.askBands()
}

// askBands has the answer's bands drawn from many simulations.
func (m *Model) askBands() tea.Cmd {
	p, rev, w, bands := m.answer.Plan, m.rev, m.worker, m.backend.Bands
	if p == nil || m.answer.Report == nil || bands == nil {
		return nil
	}
	return func() tea.Msg {
		var msg bandsMsg
		if !w.do(rev, func(ctx context.Context) { msg.bands, msg.err = bands(ctx, p) }) || msg.err != nil {
			return nil
		}
		msg.rev = rev
		return msg
	}
}

type bandsMsg struct {
	rev   int
	bands map[string]edgeshard.Band
	err   error
}

// banded gives the answer its bands.
func (m *Model) banded(msg bandsMsg) {
	if msg.rev != m.rev || m.answer.Report == nil {
		return
	}
	r := *m.answer.Report
	r.Bands = msg.bands
	m.answer.Report = &r
}

type simulatedMsg struct {
	rev    int
	report *edgeshard.Report
	err    error
}

// compare plans with the next solver whose baseline is not there yet.
func (m *Model) compare() tea.Cmd {
	for _, name := range m.backend.Solvers {
		if _, done := m.baselines[name]; done || name == m.question.Solver {
			continue
		}
		q, rev, w, b := m.question, m.rev, m.worker, m.backend
		q.Solver = name
		return func() tea.Msg {
			var a *Answer
			if !w.do(rev, func(ctx context.Context) { a = b.answer(ctx, q) }) {
				return nil
			}
			return baselineMsg{rev, *a}
		}
	}
	return nil
}

type baselineMsg answerMsg
