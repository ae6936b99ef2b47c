package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"
)

// An action is what a key does, and a line of the help and of the command
// palette. All three come from this one list.
type action struct {
	id   string // in the configuration
	keys []string
	hint string // in few words, for the line of hints; "" leaves it out
	help string
	here func(m *Model) bool // where the key has this meaning
	do   func(m *Model) tea.Cmd
}

func (a *action) matches(key string) bool { return slices.Contains(a.keys, key) }

// Where a key has a meaning.
func anywhere(*Model) bool         { return true }
func onPlan(m *Model) bool         { return m.screen == planScreen }
func onRun(m *Model) bool          { return m.screen == runScreen }
func onScenarios(m *Model) bool    { return m.screen == scenarioScreen }
func onCurve(m *Model) bool        { return m.screen == curveScreen }
func onFront(m *Model) bool        { return m.screen == frontScreen }
func turning(m *Model) bool        { return onPlan(m) && m.pane != planPane }
func onDevices(m *Model) bool      { return onPlan(m) && m.pane == devicesPane }
func onLinks(m *Model) bool        { return onPlan(m) && m.pane == linksPane }
func onPlanStrip(m *Model) bool    { return onPlan(m) && m.pane == planPane }
func withTwo(m *Model) bool        { return onPlan(m) && (m.pane == devicesPane || m.pane == linksPane) }
func hasFront(m *Model) bool       { return m.backend.Front != nil }
func explains(m *Model) bool       { return m.backend.Explain != nil && onPlan(m) && m.pane != questionPane }
func runs(m *Model) bool           { return m.backend.Sim != nil }
func runsForReal(m *Model) bool    { return m.backend.Real != nil }
func writesCommands(m *Model) bool { return m.backend.Command != nil }

// actions returns every action with its usual keys. Of several with one key the
// first that has a meaning counts.
func actions() []action {
	return slices.Concat(turnActions(), moveActions(), scenarioActions(), curveActions(), frontActions(), runActions(), sweepActions(), screenActions(), fileActions(), generalActions())
}

func turnActions() []action {
	turn := func(which, by int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			a, b := m.selected()
			return m.turn([]*knob{a, b}[which], by)
		}
	}
	typed := func(which int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			a, b := m.selected()
			return m.askValue([]*knob{a, b}[which])
		}
	}
	return []action{
		{"more", []string{"+", "=", "shift+right"}, "", "more: memory, bandwidth, or the field", turning, turn(0, 1)},
		{"less", []string{"-", "_", "shift+left"}, "-+ change", "less of it", turning, turn(0, -1)},
		{"more2", []string{">", "."}, "", "more of the second: a device's speed, a link's latency", withTwo, turn(1, 1)},
		{"less2", []string{"<", ","}, "<> second", "less of it", withTwo, turn(1, -1)},
		{"type", []string{"enter"}, "enter type", "type the selected value", turning, typed(0)},
		{"type2", []string{"e"}, "", "type the second value", withTwo, typed(1)},
		{"toggle", []string{"space"}, "space on/off", "take the device out of the cluster, or back in", onDevices, (*Model).toggle},
		{"source", []string{"S"}, "", "make the device the source", onDevices, (*Model).makeSource},
		{"add", []string{"a"}, "a add", "add a device from the catalogue", onDevices, (*Model).openCatalogue},
		{"remove", []string{"delete", "backspace"}, "", "remove the device", onDevices, (*Model).removeDevice},
		{"oneway", []string{"d"}, "d direction", "change both directions of a link, or one", onLinks, (*Model).flipDirection},
		{"pin", []string{"p"}, "p pin", "pin the unit under the cursor where it is, or free it", onPlanStrip, (*Model).pinUnit},
		{"why", []string{"w"}, "w why?", "why this device, link or cut is as it is", explains, (*Model).askWhy},
	}
}

func moveActions() []action {
	move := func(dx, dy int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd { m.move(dx, dy); return nil }
	}
	return []action{
		{"up", []string{"up", "k"}, "", "move", onPlan, move(0, -1)},
		{"down", []string{"down", "j"}, "", "move", onPlan, move(0, 1)},
		{"left", []string{"left", "h"}, "", "move", onPlan, move(-1, 0)},
		{"right", []string{"right", "l"}, "", "move", onPlan, move(1, 0)},
		{"next", []string{"tab"}, "tab pane", "next pane", onPlan, func(m *Model) tea.Cmd { m.pane = (m.pane + 1) % panes; return nil }},
		{"previous", []string{"shift+tab"}, "", "previous pane", onPlan, func(m *Model) tea.Cmd { m.pane = (m.pane + panes - 1) % panes; return nil }},
	}
}

func screenActions() []action {
	show := func(id screenID) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd { return m.show(id) }
	}
	return []action{
		{"plan", []string{"1", "esc"}, "", "the plan", func(m *Model) bool { return !onPlan(m) }, show(planScreen)},
		{"scenarios", []string{"2"}, "", "scenarios: kept questions, compared", anywhere, show(scenarioScreen)},
		{"curve", []string{"3"}, "", "curve: how the answer depends on the selected value", anywhere, show(curveScreen)},
		{"front", []string{"4"}, "", "front: latency against throughput", hasFront, show(frontScreen)},
		{"run", []string{"5", "r"}, "r run", "watch the plan run, simulated", runs, (*Model).watchSimulation},
		{"sweeps", []string{"6"}, "", "sweeps: those in progress, and their results", hasSweeps, show(sweepScreen)},
		{"real", []string{"R"}, "", "run the same plan on real workers", runsForReal, (*Model).watchReal},
	}
}

func fileActions() []action {
	return []action{
		{"keep", []string{"m"}, "m keep", "keep the question as a scenario", anywhere, (*Model).keepScenario},
		{"save", []string{"s"}, "", "save topology, plan, scenarios or report", anywhere, (*Model).openSave},
		{"open", []string{"o"}, "", "open a topology, plan, scenarios, report or results", anywhere, (*Model).openOpen},
		{"export", []string{"x"}, "", "export what is seen: SVG, PNG or Markdown", anywhere, (*Model).openExport},
		{"copy", []string{"c"}, "", "copy the command line that asks the same", writesCommands, (*Model).copyCommand},
		{"theme", []string{"t"}, "", "light or dark colours", anywhere, (*Model).flipTheme},
	}
}

func generalActions() []action {
	return []action{
		{"undo", []string{"u", "ctrl+z"}, "u undo", "undo", anywhere, func(m *Model) tea.Cmd { return m.travel(&m.past, &m.future, "undo") }},
		{"redo", []string{"U", "ctrl+y"}, "", "redo", anywhere, func(m *Model) tea.Cmd { return m.travel(&m.future, &m.past, "redo") }},
		{"commands", []string{":", "ctrl+p"}, ": find", "find a command by its name", anywhere, (*Model).openCommands},
		{"tour", nil, "", "the tour of the screen", anywhere, (*Model).startTour},
		{"help", []string{"?"}, "? help", "all keys", anywhere, func(m *Model) tea.Cmd { m.overlay = &help{}; return nil }},
		{"quit", []string{"q"}, "q quit", "quit; what is on screen is kept", anywhere, (*Model).quit},
	}
}

// move moves the selection of the pane.
func (m *Model) move(dx, dy int) {
	switch m.pane {
	case questionPane:
		m.knob += dx + dy*m.knobsPerRow()
	case devicesPane:
		m.device += dy
	case linksPane:
		m.moveLink(dx, dy)
		return
	case planPane:
		m.unit += dx + dy*5
	}
	m.settle()
}

// moveLink moves in the matrix, over its diagonal.
func (m *Model) moveLink(dx, dy int) {
	n := len(m.question.Topology.Devices)
	from, to := m.from+dy, m.to+dx
	if from == to {
		from, to = from+dy, to+dx
	}
	if from >= 0 && from < n && to >= 0 && to < n {
		m.from, m.to = from, to
	}
}

func (m *Model) flipDirection() tea.Cmd {
	m.oneWay = !m.oneWay
	t := m.question.Topology
	if len(t.Devices) > 1 {
		m.say("- + < > change " + linkName(t, m.from, m.to, m.oneWay))
	}
	return nil
}

func (m *Model) toggle() tea.Cmd {
	d := m.question.Topology.Devices[m.device].Name
	if m.device == m.question.Topology.Source {
		m.say(d + " is the source: it stays in")
		return nil
	}
	return m.change("", m.question.toggled(m.device), nil)
}

func (m *Model) makeSource() tea.Cmd {
	return m.change("", m.question.withSource(m.device), nil)
}

func (m *Model) removeDevice() tea.Cmd {
	q, err := m.question.without(m.device)
	return m.change("", q, err)
}

func (m *Model) pinUnit() tea.Cmd {
	p := m.answer.Plan
	if p == nil || m.pending {
		m.say("no plan yet")
		return nil
	}
	for _, s := range p.Stages {
		if m.unit >= s.From && m.unit < s.To {
			cmd := m.change("", m.question.withPin(m.unit, s.Name), nil)
			m.say(fmt.Sprintf("unit %d: %s", m.unit, pinText(&m.question, m.unit)))
			return cmd
		}
	}
	return nil
}

func pinText(q *Question, unit int) string {
	if name, ok := q.Pins[unit]; ok {
		return "pinned to " + name
	}
	return "free"
}

// show goes to a screen.
func (m *Model) show(id screenID) tea.Cmd {
	if id == curveScreen {
		return m.drawCurve()
	}
	if id == frontScreen {
		return m.drawFront()
	}
	if id == sweepScreen {
		return m.showSweeps()
	}
	m.screen = id
	if id == scenarioScreen {
		return m.answerScenarios()
	}
	return nil
}

func (m *Model) copyCommand() tea.Cmd {
	line := m.backend.Command(&m.question)
	m.say("copied: " + line)
	return tea.SetClipboard(line)
}

func (m *Model) flipTheme() tea.Cmd {
	m.config.Theme = "dark"
	if m.theme.dark {
		m.config.Theme = "light"
	}
	m.restyle()
	return nil
}
