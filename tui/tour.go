package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// A tour shows the screen in six steps.
type tour struct{ step int }

// A tourStep is what is said of a part of the plan's screen.
type tourStep struct {
	of    func(l planLayout) area // nil: of all
	lines []string
}

// tourSteps are what the tour says.
var tourSteps = []tourStep{
	{func(l planLayout) area { return l.fields }, []string{
		"Welcome. This is a cluster, a model, and the best plan to run one on the other.",
		"The lines on top are the question; all of it can be changed."}},
	{func(l planLayout) area { return l.devices }, []string{
		"Devices: a filled dot works, a bar is its memory. space takes one out, − and + change its memory, < and > its speed.",
		"Every change is answered at once; the last answer stays until then. In a large terminal the sliders can be dragged."}},
	{func(l planLayout) area { return l.links }, []string{
		"Links: bandwidth from row to column, red is slow; the plan uses the underlined ones.",
		"tab goes from pane to pane. − and + turn bandwidth, < and > latency, d both directions or one."}},
	{func(l planLayout) area { return l.strip }, []string{
		"The strip at the bottom is the model, from embedding to head, in the colours of the devices; with more room, also where a token's time goes.",
		"w asks why, p pins a unit."}},
	{func(l planLayout) area { return l.prediction }, []string{
		"The prediction shows what the last step changed, and what is slowest. u undoes, U redoes.",
		"m keeps a scenario; 2 compares them, 3 draws a curve of the selected value."}},
	{nil, []string{
		"r runs the plan, simulated; R on real workers, on the same screen. 6 lists sweeps.",
		": finds a command, ? lists the keys, q quits. Everything is kept for next time."}},
}

func (m *Model) startTour() tea.Cmd {
	m.screen, m.overlay = planScreen, tour{}
	return nil
}

func (t tour) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc", "q":
		m.overlay = nil
	case "left", "up", "backspace":
		m.overlay = tour{max(t.step-1, 0)}
	default:
		m.overlay = tour{t.step + 1}
		if t.step == len(tourSteps)-1 {
			m.overlay = nil
		}
	}
	return nil
}

// draw says a step's lines beside the part they are about, whose frame is lit.
func (t tour) draw(m *Model, screen area) {
	w, step := min(72, screen.w-4), tourSteps[t.step]
	var lines []string
	for _, l := range step.lines {
		lines = append(lines, wrap(l, w-4)...)
	}
	h := len(lines) + 2
	y := max((screen.h-h)/3, 0)
	if step.of != nil {
		part := step.of(m.layoutPlan(screen.at(0, 1, screen.w, screen.h-2)))
		part.light(m.theme.accent)
		if y = part.y + part.h; y+h > screen.h {
			y = max(part.y-h, 0)
		}
	}
	marks := strings.Repeat("●", t.step+1) + strings.Repeat("○", len(tourSteps)-1-t.step)
	inner := popupAt(m, screen, y, w, h, "a short tour "+marks, "any key goes on  esc ends")
	for i, l := range lines {
		inner.text(1, i, m.theme.text, l)
	}
}
