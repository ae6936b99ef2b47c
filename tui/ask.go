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
