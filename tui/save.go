package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// saving is a kind of thing that can be written to a file.
type saving struct {
	what, file string
	write      func(file string) error
}

// savings are what there is to save now, each a copy taken now.
func (m *Model) savings() []saving {
	q, entries := m.question, m.scenarios.entries
	name := fileName(q.Topology.Name)
	all := []saving{{"topology", name + ".toml", func(f string) error {
		data, err := q.Topology.TOML()
		if err != nil {
			return err
		}
		return writeFile(f, data)
	}}}
	if p := m.answer.Plan; p != nil && !m.pending {
		all = append(all, saving{"plan", name + "-plan.json", func(f string) error { return writeJSON(f, p) }})
	}
	if r := m.answer.Report; r != nil && !m.pending {
		all = append(all, saving{"report of the simulation", name + "-sim.json", func(f string) error { return writeJSON(f, r) }})
	}
	return append(all, saving{"scenarios, with this question", name + "-scenarios.json", func(f string) error {
		return writeJSON(f, &SetFile{Question: &q, Entries: entries})
	}})
}

// fileName makes a topology's name one for files.
func fileName(name string) string {
	name = strings.TrimSuffix(name[strings.LastIndexAny(name, `/\`)+1:], ".toml")
	if name == "" {
		return "topology"
	}
	return name
}

func (m *Model) openSave() tea.Cmd {
	var items []item
	for _, s := range m.savings() {
		items = append(items, item{name: s.what, detail: s.file, do: func(m *Model) tea.Cmd { return m.askFile(s) }})
	}
	m.overlay = newMenu("save", items)
	return nil
}

// askFile asks where to save and writes there; a file that exists is asked about.
func (m *Model) askFile(s saving) tea.Cmd {
	m.prompt("save "+s.what+" as", s.file, func(_ *Model, file string) (tea.Cmd, error) {
		if file == "" {
			return nil, errors.New("expected a file's path")
		}
		return s.to(file, false), nil
	})
	return nil
}

// to writes in the background. Without force a file that exists is kept, and the
// question put whether to replace it.
func (s saving) to(file string, force bool) tea.Cmd {
	return func() tea.Msg {
		if _, err := os.Stat(file); err == nil && !force {
			return overlayMsg{newMenu("exists: "+filepath.Base(file), []item{
				{name: "keep it", do: func(*Model) tea.Cmd { return nil }},
				{name: "replace it", do: func(*Model) tea.Cmd { return s.to(file, true) }},
			})}
		}
		if err := s.write(file); err != nil {
			return toldMsg{err.Error(), true}
		}
		return toldMsg{"wrote " + file, false}
	}
}

// openOpen offers the built-in topologies, and files by their path.
func (m *Model) openOpen() tea.Cmd {
	items := []item{{name: "a file …", detail: "topology, plan, scenarios, report or results", do: func(m *Model) tea.Cmd {
		m.prompt("open", "", func(m *Model, ref string) (tea.Cmd, error) {
			if ref == "" {
				return nil, errors.New("expected a file's path")
			}
			return m.load(ref), nil
		})
		return nil
	}}}
	for _, name := range m.backend.Topologies {
		items = append(items, item{name: name, detail: "built in", do: func(m *Model) tea.Cmd { return m.load(name) }})
	}
	m.overlay = newMenu("open", items)
	return nil
}

type openedMsg struct {
	ref    string
	opened *Opened
	err    error
}

// load reads what a name or path names, for the question on screen.
func (m *Model) load(ref string) tea.Cmd {
	open, q := m.backend.Open, m.question
	return func() tea.Msg {
		o, err := open(ref, &q)
		return openedMsg{ref, o, err}
	}
}

// opened shows what was read, or what is wrong with it, fault by fault.
func (m *Model) opened(msg openedMsg) tea.Cmd {
	if msg.err != nil {
		m.overlay = &page{title: "cannot open " + clip(msg.ref, 40), lines: strings.Split(msg.err.Error(), "\n")}
		return nil
	}
	o := msg.opened
	if len(o.Entries) > 0 {
		m.scenarios.add(o.Entries)
	}
	if o.Table != nil {
		m.overlay = newSheet(filepath.Base(msg.ref), o.Table)
		return nil
	}
	if o.Report != nil {
		m.overlay = &page{title: msg.ref, lines: reportLines(o.Report)}
		return nil
	}
	if o.Question == nil {
		m.say(fmt.Sprintf("%s: %d scenarios", msg.ref, len(o.Entries)))
		return nil
	}
	cmd := m.change("", *o.Question, nil)
	m.device, m.from, m.to, m.unit = 0, 0, 1, 0
	m.settle()
	if !m.notice.bad {
		m.say("opened " + msg.ref)
	}
	return tea.Batch(cmd, m.watchFile())
}

// watchEvery is how often the topology's file is looked at.
const watchEvery = 2 * time.Second

type changedOnDiskMsg struct {
	watch int // which watch it is; older ones have ended
	at    time.Time
	gone  bool
}

// watchFile begins to watch the file of the topology on screen.
func (m *Model) watchFile() tea.Cmd {
	m.watching++
	m.fileTime = time.Time{}
	return lookAt(m.question.File, m.watching)
}

func lookAt(file string, watch int) tea.Cmd {
	if file == "" {
		return nil
	}
	return func() tea.Msg {
		info, err := os.Stat(file)
		if err != nil {
			return changedOnDiskMsg{watch: watch, gone: true}
		}
		return changedOnDiskMsg{watch: watch, at: info.ModTime()}
	}
}

// changedOnDisk goes on watching, and offers to read a file again that changed.
func (m *Model) changedOnDisk(msg changedOnDiskMsg) tea.Cmd {
	if msg.watch != m.watching || msg.gone && m.fileTime.IsZero() {
		return nil // another file is watched, or a built-in name is no file
	}
	file, watch := m.question.File, m.watching
	later := m.clock(watchEvery, func(time.Time) tea.Msg { return lookAt(file, watch)() })
	if m.fileTime.IsZero() {
		m.fileTime = msg.at
	}
	if msg.gone || m.fileTime.Equal(msg.at) || m.overlay != nil {
		return later
	}
	m.fileTime = msg.at
	m.overlay = newMenu("changed on disk: "+filepath.Base(file), []item{
		{name: "read it again", do: func(m *Model) tea.Cmd { return m.load(file) }},
		{name: "keep what is on screen", do: func(*Model) tea.Cmd { return nil }},
	})
	return later
}

// keepSession writes what is on screen, for after a crash.
func (m *Model) keepSession() tea.Cmd {
	file := m.options.Session
	if file == "" {
		return nil
	}
	q, entries, rev, w := m.question, m.scenarios.entries, m.rev, m.sessionWorker
	return func() tea.Msg {
		var err error
		w.do(rev, func(context.Context) { err = writeJSON(file, &SetFile{Question: &q, Entries: entries}) })
		if err != nil {
			return toldMsg{"the session is not kept: " + err.Error(), true}
		}
		return nil
	}
}
