package tui

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// A SweepState is whether a sweep goes on.
type SweepState int

// States of a sweep.
const (
	SweepRuns SweepState = iota
	SweepEnded
	SweepStopped // before its end
)

// A Sweep is many runs of an experiment, with their results in a folder.
type Sweep struct {
	Folder, Name string // Name as it is shown
	Experiment   string
	Points, Done int
	Cached       int // of the done ones, that were there
	Failed       int // of the done ones, that have no result
	Left         time.Duration
	Updated      time.Time
	State        SweepState
	Error        string // that stopped it
	Results      string // file of the results so far, "" for none
}

// sweepList is the sweeps that were found, the newest first.
type sweepList struct {
	all    []Sweep
	known  bool // all is what there is
	err    error
	folder string // of the selected one
	loop   int    // counts the loops of looking started; older ones end
	table  *Table // of the selected one
	tabled Sweep  // what table is of
}

// lookEvery is how often sweeps are looked at while they are shown.
const lookEvery = time.Second

// A sweepsMsg is what a look at the sweeps found.
type sweepsMsg struct {
	loop   int
	all    []Sweep
	err    error
	table  *Table // nil: as before
	tabled Sweep
}

// showSweeps goes to the sweeps and looks at them until they are left.
func (m *Model) showSweeps() tea.Cmd {
	m.screen = sweepScreen
	m.sweeps.loop++
	return m.lookAtSweeps()
}

func (m *Model) lookAtSweeps() tea.Cmd {
	l, b, now := &m.sweeps, m.backend, m.question
	loop, folder, tabled := l.loop, l.folder, l.tabled
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), explainTimeout)
		defer cancel()
		msg := sweepsMsg{loop: loop}
		msg.all, msg.err = b.Sweeps(ctx)
		for i, s := range msg.all {
			wanted := s.Folder == folder || folder == "" && i == 0
			if !wanted || s.Results == "" || s.Results == tabled.Results && s.Done == tabled.Done {
				continue
			}
			if o, err := b.Open(s.Results, &now); err == nil && o.Table != nil {
				msg.table, msg.tabled = o.Table, s
			} // else it is being replaced: the next look will find it
		}
		return msg
	}
}

// looked takes in what was found, and looks again later.
func (m *Model) looked(msg sweepsMsg) tea.Cmd {
	l := &m.sweeps
	if msg.loop != l.loop || m.screen != sweepScreen {
		return nil
	}
	l.all, l.err, l.known = msg.all, msg.err, true
	if msg.table != nil {
		l.table, l.tabled = msg.table, msg.tabled
		if s, ok := m.overlay.(*sheet); ok && s.folder == msg.tabled.Folder {
			m.overlay = s.renewed(sheetTitle(msg.tabled), msg.table)
		}
	}
	if l.folder == "" && len(l.all) > 0 {
		l.folder = l.all[0].Folder
	}
	return m.lookLater()
}

func (m *Model) lookLater() tea.Cmd {
	loop := m.sweeps.loop
	return m.clock(lookEvery, func(time.Time) tea.Msg { return lookMsg{loop} })
}

type lookMsg struct{ loop int }

// lookAgain goes on with the loop of looking.
func (m *Model) lookAgain(msg lookMsg) tea.Cmd {
	if msg.loop != m.sweeps.loop || m.screen != sweepScreen {
		return nil
	}
	return m.lookAtSweeps()
}

// at is the index of the selected sweep, 0 if there is none.
func (l *sweepList) at() int {
	for i, s := range l.all {
		if s.Folder == l.folder {
			return i
		}
	}
	return 0
}

func sweepActions() []action {
	move := func(by int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			l := &m.sweeps
			if len(l.all) == 0 {
				return nil
			}
			l.folder = l.all[min(max(l.at()+by, 0), len(l.all)-1)].Folder
			l.loop++
			return m.lookAtSweeps()
		}
	}
	return []action{
		{"sweep-up", []string{"up", "k"}, "", "choose a sweep", onSweeps, move(-1)},
		{"sweep-down", []string{"down", "j"}, "↑↓ choose", "choose a sweep", onSweeps, move(1)},
		{"sweep-open", []string{"enter"}, "enter results", "open the sweep's results, as far as there are any", onSweeps, (*Model).openSweep},
		{"sweep-start", []string{"n"}, "n new", "start the sweep of an experiment", startsSweeps, (*Model).askSweep},
		{"sweep-stop", []string{"delete", "backspace"}, "del stop", "stop the sweep; what it has computed is kept", startsSweeps, (*Model).stopSweep},
	}
}

func onSweeps(m *Model) bool     { return m.screen == sweepScreen }
func startsSweeps(m *Model) bool { return onSweeps(m) && m.backend.Sweep != nil }
func hasSweeps(m *Model) bool    { return m.backend.Sweeps != nil }

func sheetTitle(s Sweep) string {
	if s.State == SweepRuns {
		return s.Name + " so far"
	}
	return s.Name
}

func (m *Model) openSweep() tea.Cmd {
	l := &m.sweeps
	if len(l.all) == 0 {
		return nil
	}
	if l.table == nil || l.tabled.Folder != l.folder {
		m.say("no results yet")
		return nil
	}
	s := newSheet(sheetTitle(l.tabled), l.table)
	s.folder = l.folder
	m.overlay = s
	return nil
}

// A startedMsg is a sweep that was started, or why not.
type startedMsg struct {
	file, folder string
	err          error
}

func (m *Model) askSweep() tea.Cmd {
	start := m.backend.Sweep
	m.prompt("start the sweep of", "experiment.toml", func(m *Model, file string) (tea.Cmd, error) {
		if file == "" {
			return nil, errors.New("expected an experiment's file")
		}
		m.say("checking " + file + " …")
		return func() tea.Msg {
			folder, err := start(file)
			return startedMsg{file, folder, err}
		}, nil
	})
	return nil
}

// started selects a sweep that was started; an experiment's faults are shown line
// by line.
func (m *Model) started(msg startedMsg) tea.Cmd {
	if msg.err != nil {
		m.overlay = &page{title: "cannot sweep " + clip(msg.file, 40), lines: strings.Split(msg.err.Error(), "\n")}
		return nil
	}
	m.say("sweeping into " + msg.folder + ", also after the screen is left")
	m.sweeps.folder = filepath.Clean(msg.folder)
	if m.screen != sweepScreen {
		return nil
	}
	m.sweeps.loop++
	return m.lookAtSweeps()
}

func (m *Model) stopSweep() tea.Cmd {
	l, stop := &m.sweeps, m.backend.StopSweep
	if len(l.all) == 0 {
		return nil
	}
	folder := l.all[l.at()].Folder
	return func() tea.Msg {
		if err := stop(folder); err != nil {
			return toldMsg{err.Error(), true}
		}
		return toldMsg{"stopping " + folder + "; started again it goes on", false}
	}
}
