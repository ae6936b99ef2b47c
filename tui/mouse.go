package tui

import tea "charm.land/bubbletea/v2"

// mouse selects what is clicked on, and turns the selected value by the wheel.
func (m *Model) mouse(msg tea.MouseMsg) tea.Cmd {
	if m.overlay != nil || m.screen != planScreen {
		return nil
	}
	at := msg.Mouse()
	body := area{x: 0, y: 1, w: m.width, h: m.height - 2}
	l := m.layoutPlan(body)
	switch msg.(type) {
	case tea.MouseClickMsg:
		if cmd, held := m.grab(l, at); held {
			return cmd
		}
		return m.click(l, at)
	case tea.MouseMotionMsg:
		return m.drag(l, at)
	case tea.MouseReleaseMsg:
		m.dragged = ""
	case tea.MouseWheelMsg:
		return m.wheel(l, at)
	}
	return nil
}

func (m *Model) click(l planLayout, at tea.Mouse) tea.Cmd {
	switch {
	case l.fields.has(at.X, at.Y):
		m.pane = questionPane
		fields, _ := m.placeFields(l.fields.w)
		for i, f := range fields {
			if at.Y-l.fields.y == f.y && at.X >= f.x && at.X < f.x+f.w {
				m.knob = i
			}
		}
	case l.devices.has(at.X, at.Y):
		return m.clickDevice(l.devices, at)
	case l.links.has(at.X, at.Y):
		m.pane = linksPane
	case l.strip.has(at.X, at.Y):
		m.clickStrip(l.strip, at.X)
	}
	return nil
}

// clickDevice selects a device; a click on its dot takes it out or back in.
func (m *Model) clickDevice(a area, at tea.Mouse) tea.Cmd {
	m.pane = devicesPane
	rows := a.h - 2
	i := scroll(m.device, len(m.question.Topology.Devices), rows) + at.Y - a.y - 1
	if i < 0 || i >= len(m.question.Topology.Devices) || at.Y-a.y > rows {
		return nil
	}
	m.device = i
	if at.X-a.x == 2 {
		return m.toggle()
	}
	return nil
}

func (m *Model) clickStrip(a area, x int) {
	m.pane = planPane
	p := m.answer.Plan
	if p == nil {
		return
	}
	x -= a.x + 2
	for i, s := range placeStages(p, a.w-4) {
		if x >= s.x && x < s.x+s.w {
			st := p.Stages[i]
			m.unit = st.From + (x-s.x)*(st.To-st.From)/s.w
		}
	}
	m.settle()
}

func (m *Model) wheel(l planLayout, at tea.Mouse) tea.Cmd {
	by := 1
	if at.Button == tea.MouseWheelDown {
		by = -1
	}
	if l.devices.has(at.X, at.Y) && m.pane != devicesPane {
		m.move(0, -by)
		return nil
	}
	first, _ := m.selected()
	return m.turn(first, by)
}
