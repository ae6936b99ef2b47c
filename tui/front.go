package tui

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard"
)

// A front is the plans of which none is better in both latency and throughput.
type front struct {
	worker  *worker
	rev     int
	of      int // the question's revision it answers
	plans   []*edgeshard.Plan
	err     error
	pending bool
	cursor  int
}

type frontMsg struct {
	rev   int
	plans []*edgeshard.Plan
	err   error
}

// drawFront goes to the front of the present question.
func (m *Model) drawFront() tea.Cmd {
	m.screen = frontScreen
	f := &m.front
	if f.of == m.rev && (f.pending || f.plans != nil) {
		return nil
	}
	f.rev++
	f.of, f.pending, f.plans, f.err, f.cursor = m.rev, true, nil, nil, 0
	q, rev, w, find := m.question, f.rev, f.worker, m.backend.Front
	return func() tea.Msg {
		var msg frontMsg
		if !w.do(rev, func(ctx context.Context) { msg.plans, msg.err = find(ctx, &q) }) {
			return nil
		}
		msg.rev = rev
		return msg
	}
}

func (m *Model) fronted(msg frontMsg) {
	if msg.rev == m.front.rev {
		m.front.pending, m.front.plans, m.front.err = false, msg.plans, msg.err
	}
}

func frontActions() []action {
	walk := func(by int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			m.front.cursor = max(min(m.front.cursor+by, len(m.front.plans)-1), 0)
			return nil
		}
	}
	return []action{
		{"front-left", []string{"left", "h", "up", "k"}, "←→ walk", "walk along the front", onFront, walk(-1)},
		{"front-right", []string{"right", "l", "down", "j"}, "", "walk along the front", onFront, walk(1)},
		{"front-run", []string{"enter"}, "enter run", "watch the plan under the cursor run", onFront, (*Model).watchFront},
	}
}

func (m *Model) watchFront() tea.Cmd {
	if m.front.cursor >= len(m.front.plans) {
		return nil
	}
	return m.watch(m.front.plans[m.front.cursor], simulated)
}

func (m *Model) drawFrontScreen(a area) {
	f, t := &m.front, &m.theme
	upper, lower := a.top(a.h - 7)
	inner := upper.box(t.border, t.dim, "front: tokens/s over the time of a request by itself", fmt.Sprintf("%d plans", len(f.plans)))
	if f.err != nil {
		for y, line := range wrap(f.err.Error(), inner.w-2) {
			inner.text(1, y, t.bad, line)
		}
		return
	}
	if len(f.plans) == 0 {
		inner.text(1, 0, t.dim, "solving …")
		return
	}
	points := make([]point, len(f.plans))
	for i, p := range f.plans {
		points[i] = point{requestMS(p), p.Predicted.Throughput}
	}
	cells := m.chart(inner, points, t.border, msText)
	for i, c := range cells {
		mark, look := "●", t.accent
		if i == f.cursor {
			mark, look = "◆", t.focus.strong()
		}
		if c.ok {
			inner.put(c.x, c.y, look, mark)
		}
	}
	p := f.plans[f.cursor]
	foot := lower.box(t.border, t.dim, fmt.Sprintf("plan %d of %d", f.cursor+1, len(f.plans)), "")
	foot.text(1, 0, t.text, fmt.Sprintf("a request by itself %s   %s tokens/s   batch %d in micro-batches of %d   %s",
		msText(requestMS(p)), digits(p.Predicted.Throughput), p.Workload.Batch, p.Workload.MicroBatch, plural(len(p.Stages), "stage")))
	m.drawMiniStrip(foot.at(1, 2, foot.w-2, 2), p)
}

// requestMS is the time of a request that has the plan to itself, in ms: what the
// front's plans were found by.
func requestMS(p *edgeshard.Plan) float64 { return p.ObjectiveMS }
