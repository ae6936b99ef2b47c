package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// smallest is the least terminal the screen is drawn in.
const (
	minWidth  = 60
	minHeight = 18
)

// View draws the screen.
func (m Model) View() tea.View {
	v := tea.NewView(m.render().String())
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = "edgeshard: " + m.question.Topology.Name
	return v
}

// render draws the screen into cells.
func (m *Model) render() area {
	a := newScreen(max(m.width, 1), max(m.height, 1))
	if m.width < minWidth || m.height < minHeight {
		a.text(0, 0, m.theme.warn, fmt.Sprintf("%d×%d: %d×%d needed", m.width, m.height, minWidth, minHeight))
		return a
	}
	header, rest := a.top(1)
	body, footer := rest.top(rest.h - 1)
	m.drawHeader(header)
	m.drawFooter(footer)
	switch m.screen {
	case planScreen:
		m.drawPlan(body)
	case scenarioScreen:
		m.drawScenarios(body)
	case curveScreen:
		m.drawCurveScreen(body)
	case frontScreen:
		m.drawFrontScreen(body)
	case runScreen:
		m.drawRun(body)
	case sweepScreen:
		m.drawSweeps(body)
	}
	if m.overlay != nil {
		m.overlay.draw(m, a)
	}
	return a
}

func (m *Model) drawHeader(a area) {
	t := &m.theme
	x := a.text(1, 0, t.accent.strong(), "edgeshard")
	name := m.question.Topology.Name
	if m.question.Edited {
		name += "*"
	}
	x = a.text(x+2, 0, t.text, clip(name, 24))
	status, look := m.status()
	room := a.w - x - textWidth(status) - 3
	tabs := m.tabs()
	if room > tabsWidth(tabs) {
		x += 2
		for _, p := range tabs {
			x = a.text(x, 0, p.style, p.text)
		}
	}
	a.right(a.w-1, 0, look, status)
}

func tabsWidth(tabs []part) int {
	n := 0
	for _, p := range tabs {
		n += textWidth(p.text)
	}
	return n
}

// tabs names the screens with their keys, as far as there is room.
func (m *Model) tabs() []part {
	var parts []part
	for i, name := range []string{"plan", "scenarios", "curve", "front", "run", "sweeps"} {
		id := screenID(i)
		if id == frontScreen && !hasFront(m) || id == runScreen && !runs(m) || id == sweepScreen && !hasSweeps(m) {
			continue
		}
		look := m.theme.dim
		if id == m.screen {
			look = m.theme.select_
		}
		text := fmt.Sprintf(" %d %s ", i+1, name)
		if m.width < 110 {
			text = fmt.Sprintf(" %d ", i+1)
			if id == m.screen {
				text = fmt.Sprintf(" %d %s ", i+1, name)
			}
		}
		parts = append(parts, part{look, text})
	}
	return parts
}

// status says how the answer on screen stands to the question.
func (m *Model) status() (string, style) {
	t, p := &m.theme, m.answer.Plan
	switch {
	case m.pending:
		return spinner(m.spin) + " solving", t.warn
	case m.answer.Err != nil:
		return "✗ no plan", t.bad
	case p == nil:
		return "", t.dim
	case p.Solver.Proved:
		return "✓ proved optimal", t.good
	case p.Solver.Bounded():
		return fmt.Sprintf("≤ %.2f %% above optimum", 100*p.Solver.Gap/(1-min(p.Solver.Gap, 0.999))), t.warn
	}
	return "nothing proved", t.dim
}

func spinner(i int) string { return string([]rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[i%10]) }

// solvedText says who found the plan and in what time.
func solvedText(a *Answer) string {
	if a.Plan == nil {
		return ""
	}
	return fmt.Sprintf("%s, %s", a.Plan.Solver.Name, durationText(a.Took.Round(10*time.Microsecond)))
}

// drawFooter shows a notice, or the keys that have a meaning here.
func (m *Model) drawFooter(a area) {
	if m.notice.text != "" {
		look := m.theme.accent
		if m.notice.bad {
			look = m.theme.bad
		}
		a.text(1, 0, look, clip(strings.ReplaceAll(m.notice.text, "\n", " · "), a.w-2))
		return
	}
	x := 1
	for i := range m.actions {
		c := &m.actions[i]
		if c.hint == "" || len(c.keys) == 0 || !c.here(m) {
			continue
		}
		key, what, _ := strings.Cut(c.hint, " ")
		if x+textWidth(c.hint)+2 > a.w {
			break
		}
		x = a.text(x, 0, m.theme.focus, key)
		x = a.text(x+1, 0, m.theme.dim, what) + 2
	}
}

// paneBox draws a pane's border, which tells whether it has the keys.
func (m *Model) paneBox(a area, p pane, title, foot string) area {
	border, caption := m.theme.border, m.theme.dim
	if m.screen == planScreen && m.pane == p && m.overlay == nil {
		border, caption = m.theme.focus, m.theme.focus.strong()
		title = "▸ " + title
	}
	return a.box(border, caption, title, foot)
}

// colorOf is the look of a device by its name.
func (m *Model) colorOf(name string) (style, string) {
	i, ok := m.question.Topology.Index(name)
	if !ok {
		return m.theme.dim, m.theme.block(0)
	}
	return m.theme.device(i), m.theme.block(i)
}

// sliderText draws where a value stands between its limits.
func sliderText(k *knob, q *Question, w int) string {
	if k == nil {
		return ""
	}
	text := k.name + " " + k.show(q)
	if k.share == nil || w < 4 {
		return text
	}
	at := int(k.share(q)*float64(w-1) + 0.5)
	return text + " " + strings.Repeat("─", at) + "●" + strings.Repeat("─", w-1-at)
}
