package tui

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard"
)

// A curve shows how the answer depends on one value of the question.
type curve struct {
	worker *worker
	rev    int
	base   Question // whose value is varied
	knob   int      // which of allKnobs
	points []curvePoint
	done   int // points answered
	cursor int
}

// A curvePoint is the question with one value, and its plan once it is there.
type curvePoint struct {
	question Question
	label    string
	plan     *edgeshard.Plan
	failed   bool
}

// curveReach is how many steps a curve goes either way.
const curveReach = 12

// drawCurve goes to the curve of the value that is selected on the plan's screen.
func (m *Model) drawCurve() tea.Cmd {
	if m.screen == curveScreen {
		return nil
	}
	m.screen = curveScreen
	if first, _ := m.selected(); first != nil {
		label := first.label()
		m.curve.knob = max(slices.IndexFunc(m.allKnobs(), func(k knob) bool { return k.label() == label }), 0)
	}
	return m.sweep()
}

// sweep asks for the points of the curve, the present value's first.
func (m *Model) sweep() tea.Cmd {
	c, all := &m.curve, m.allKnobs()
	c.knob = min(c.knob, len(all)-1)
	k := all[c.knob]
	c.rev++
	c.base, c.points, c.done = m.question, pointsOf(k, m.question), 0
	c.cursor = max(slices.IndexFunc(c.points, func(p curvePoint) bool { return p.label == k.show(&m.question) }), 0)
	return m.nextPoint()
}

// pointsOf steps a knob both ways until it stops.
func pointsOf(k knob, q Question) []curvePoint {
	points := []curvePoint{{question: q, label: k.show(&q)}}
	seen := map[string]bool{points[0].label: true}
	for _, by := range []int{1, -1} {
		at := q
		for range curveReach {
			next, err := k.step(at, by)
			if err != nil || next.Validate() != nil || seen[k.show(&next)] {
				break
			}
			at = next
			seen[k.show(&at)] = true
			p := curvePoint{question: at, label: k.show(&at)}
			if by > 0 {
				points = append(points, p)
			} else {
				points = slices.Insert(points, 0, p)
			}
		}
	}
	return points
}

type curveMsg struct {
	rev, point int
	answer     Answer
}

// nextPoint asks for the point nearest to the cursor that has no answer.
func (m *Model) nextPoint() tea.Cmd {
	c, best := &m.curve, -1
	for i, p := range c.points {
		if p.plan == nil && !p.failed && (best < 0 || distance(i, c.cursor) < distance(best, c.cursor)) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	q, rev, w, b := c.points[best].question, c.rev, c.worker, m.backend
	return func() tea.Msg {
		var a *Answer
		if !w.do(rev, func(ctx context.Context) { a = b.answer(ctx, q) }) {
			return nil
		}
		return curveMsg{rev, best, *a}
	}
}

func distance(a, b int) int { return max(a-b, b-a) }

func (m *Model) curved(msg curveMsg) tea.Cmd {
	c := &m.curve
	if msg.rev != c.rev {
		return nil
	}
	c.points = slices.Clone(c.points)
	c.points[msg.point].plan, c.points[msg.point].failed = msg.answer.Plan, msg.answer.Plan == nil
	c.done++
	return m.nextPoint()
}

// flips are the points whose plan differs from that of the point before.
func (c *curve) flips() []int {
	var at []int
	for i := 1; i < len(c.points); i++ {
		a, b := c.points[i-1].plan, c.points[i].plan
		if a != nil && b != nil && !slices.EqualFunc(a.Stages, b.Stages, sameStage) {
			at = append(at, i)
		}
	}
	return at
}

func sameStage(a, b edgeshard.Stage) bool {
	return a.Name == b.Name && a.From == b.From && a.To == b.To
}

func curveActions() []action {
	walk := func(by int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			m.curve.cursor = min(max(m.curve.cursor+by, 0), len(m.curve.points)-1)
			return nil
		}
	}
	other := func(by int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			n := len(m.allKnobs())
			m.curve.knob = (m.curve.knob + by + n) % n
			return m.sweep()
		}
	}
	return []action{
		{"curve-left", []string{"left", "h"}, "←→ walk", "walk along the curve", onCurve, walk(-1)},
		{"curve-right", []string{"right", "l"}, "", "walk along the curve", onCurve, walk(1)},
		{"curve-next", []string{"tab", "down", "j"}, "tab other value", "the curve of another value", onCurve, other(1)},
		{"curve-previous", []string{"shift+tab", "up", "k"}, "", "the curve of another value", onCurve, other(-1)},
		{"curve-take", []string{"enter"}, "enter take", "take the value under the cursor", onCurve, (*Model).takePoint},
	}
}

func (m *Model) takePoint() tea.Cmd {
	c := &m.curve
	if c.cursor >= len(c.points) {
		return nil
	}
	m.screen = planScreen
	k := m.allKnobs()[min(c.knob, len(m.allKnobs())-1)]
	cmd := m.change("", c.points[c.cursor].question, nil)
	m.say(fmt.Sprintf("%s: %s", k.label(), k.show(&m.question)))
	return cmd
}
