package tui

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"
)

// Update answers a message. It is pure: it takes no time and touches nothing else.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	return m, cmd
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.MouseMsg:
		return m.mouse(msg)
	case tea.PasteMsg:
		if o, ok := m.overlay.(interface{ paste(string) }); ok {
			o.paste(msg.Content)
		}
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.restyle()
	case tea.ColorProfileMsg:
		m.profile = msg.Profile
		m.restyle()
	case spinMsg:
		if x, asking := m.overlay.(*explanation); m.pending || asking && x.pending {
			m.spin++
			return m.spinLater()
		}
	default:
		return m.result(msg)
	}
	return nil
}

// result takes what a command found. What answers an older question is dropped.
func (m *Model) result(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case answerMsg:
		if msg.rev == m.rev {
			return m.answered(msg.answer)
		}
	case simulatedMsg:
		if msg.rev == m.rev {
			m.answer.Report, m.answer.SimErr = msg.report, msg.err
			m.scenarios.note(m.answer)
			return m.further()
		}
	case baselineMsg:
		if msg.rev == m.rev {
			m.addBaseline(msg.answer)
			return m.further()
		}
	case bandsMsg:
		m.banded(msg)
	case toldMsg:
		m.notice = notice(msg)
	case overlayMsg:
		m.overlay = msg.overlay
	case openedMsg:
		return m.opened(msg)
	case changedOnDiskMsg:
		return m.changedOnDisk(msg)
	}
	return m.screenResult(msg)
}

// screenResult takes what a command of a screen other than the plan's found.
func (m *Model) screenResult(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case curveMsg:
		return m.curved(msg)
	case scenarioMsg:
		return m.scenarioAnswered(msg)
	case sweepsMsg:
		return m.looked(msg)
	case lookMsg:
		return m.lookAgain(msg)
	case startedMsg:
		return m.started(msg)
	case whyMsg:
		return m.explained(msg)
	case frontMsg:
		m.fronted(msg)
	case ghostMsg:
		if msg.rev == m.run.rev {
			m.run.ghost = msg.tape
		}
	case spansMsg:
		return m.ran(msg)
	case frameMsg:
		return m.frame(msg)
	}
	return nil
}

func (m *Model) answered(a Answer) tea.Cmd {
	if errors.Is(a.Err, context.Canceled) {
		return nil
	}
	m.pending = false
	if a.Err != nil {
		a.Report, a.Parts = nil, nil
	}
	m.answer = a
	m.scenarios.note(a)
	if a.Err != nil {
		return m.compare()
	}
	return m.simulate()
}

func (m *Model) addBaseline(a Answer) {
	all := make(map[string]Answer, len(m.baselines)+1)
	for k, v := range m.baselines {
		all[k] = v
	}
	all[a.Question.Solver] = a
	m.baselines = all
}

// key gives a key to the overlay, or does the action it stands for here.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	if k.String() == "ctrl+c" {
		return m.quit()
	}
	m.notice = notice{}
	if m.overlay != nil {
		return m.overlay.key(m, k)
	}
	for i := range m.actions {
		if a := &m.actions[i]; a.matches(k.String()) && a.here(m) {
			return a.do(m)
		}
	}
	return nil
}

// A toldMsg is what a command wants people to know.
type toldMsg notice

// An overlayMsg puts an overlay on the screen.
type overlayMsg struct{ overlay overlay }

// quit ends all that runs in the background, then the program.
func (m *Model) quit() tea.Cmd {
	workers := []*worker{m.worker, m.run.worker, m.curve.worker, m.front.worker, m.why.worker}
	return tea.Sequence(func() tea.Msg {
		for _, w := range workers {
			w.stop()
		}
		return nil
	}, tea.Quit)
}
