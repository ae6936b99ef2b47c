package tui

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// An item is a line of a menu.
type item struct {
	name, detail string
	more         []string // lines shown while it is selected
	do           func(m *Model) tea.Cmd
}

// A menu is a list of items to choose from, filtered by what is typed.
type menu struct {
	title  string
	items  []item
	filter textinput.Model
	cursor int
}

// newMenu returns a menu; narrow its items by typing.
func newMenu(title string, items []item) *menu {
	f := textinput.New()
	f.Prompt, f.CharLimit = "› ", 80
	f.SetVirtualCursor(true)
	f.Focus()
	return &menu{title: title, items: items, filter: f}
}

// found are the items that have all typed words.
func (n *menu) found() []item {
	words := strings.Fields(strings.ToLower(n.filter.Value()))
	var all []item
	for _, i := range n.items {
		text, ok := strings.ToLower(i.name+" "+i.detail), true
		for _, w := range words {
			ok = ok && strings.Contains(text, w)
		}
		if ok {
			all = append(all, i)
		}
	}
	return all
}

func (n *menu) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	found := n.found()
	next := *n
	m.overlay = &next
	switch k.String() {
	case "esc":
		m.overlay = nil
	case "up", "ctrl+k":
		next.cursor = max(n.cursor-1, 0)
	case "down", "ctrl+j", "tab":
		next.cursor = max(min(n.cursor+1, len(found)-1), 0)
	case "enter":
		if n.cursor < len(found) {
			m.overlay = nil
			return found[n.cursor].do(m)
		}
	default:
		next.filter, _ = n.filter.Update(k)
		next.cursor = min(n.cursor, max(len(next.found())-1, 0))
	}
	return nil
}

func (n *menu) draw(m *Model, screen area) {
	t, found := &m.theme, n.found()
	var more []string
	if n.cursor < len(found) {
		more = found[n.cursor].more
	}
	least := 48
	if longest(n.items) > 0 {
		least = sourceWidth
	}
	w := min(max(menuWidth(n.items)+6, least), screen.w-4)
	rows := min(len(n.items), screen.h-8-longest(n.items))
	inner := popup(m, screen, w, rows+3+longest(n.items), n.title, "enter choose  esc leave")
	inner.draw(n.filter.View())
	top := scroll(n.cursor, len(found), rows)
	for r := range min(rows, len(found)-top) {
		line := inner.at(0, 1+r, inner.w, 1)
		name, detail := t.text, t.dim
		if top+r == n.cursor {
			line.fill(t.select_, " ")
			name, detail = t.select_.strong(), t.select_
		}
		line.text(1, 0, name, found[top+r].name)
		line.right(line.w-1, 0, detail, clip(found[top+r].detail, line.w-textWidth(found[top+r].name)-4))
	}
	for i, text := range more {
		inner.text(1, rows+1+i, t.dim, clip(text, inner.w-2))
	}
}

func menuWidth(items []item) int {
	w := 0
	for _, i := range items {
		w = max(w, textWidth(i.name)+textWidth(i.detail)+2)
	}
	return w
}

func longest(items []item) int {
	n := 0
	for _, i := range items {
		n = max(n, len(i.more))
	}
	return n
}

// popup clears the middle of the screen for an overlay and returns its inside.
func popup(m *Model, screen area, w, h int, title, foot string) area {
	return popupAt(m, screen, max((screen.h-h)/3, 0), w, h, title, foot)
}

// popupAt is popup from a row on.
func popupAt(m *Model, screen area, y, w, h int, title, foot string) area {
	w, h = min(w, screen.w), min(h, screen.h)
	a := screen.at((screen.w-w)/2, y, w, h)
	a.fill(style{}, " ")
	return a.box(m.theme.focus, m.theme.focus.strong(), title, foot)
}

// A prompt asks for a line of text.
type prompt struct {
	title, fault string
	input        textinput.Model
	submit       func(m *Model, text string) (tea.Cmd, error)
}

// ask puts a prompt on the screen.
func (m *Model) prompt(title, value string, submit func(*Model, string) (tea.Cmd, error)) {
	in := textinput.New()
	in.Prompt, in.CharLimit = "› ", 4096
	in.SetValue(value)
	in.CursorEnd()
	in.Focus()
	m.overlay = &prompt{title: title, input: in, submit: submit}
}

func (p *prompt) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	next := *p
	m.overlay = &next
	switch k.String() {
	case "esc":
		m.overlay = nil
	case "enter":
		m.overlay = nil
		cmd, err := p.submit(m, strings.TrimSpace(p.input.Value()))
		if err != nil {
			next.fault = err.Error()
			m.overlay = &next
		}
		return cmd
	default:
		next.input, _ = p.input.Update(k)
		next.fault = ""
	}
	return nil
}

func (p *prompt) paste(text string) {
	p.input.SetValue(p.input.Value() + strings.TrimSpace(text))
	p.input.CursorEnd()
}

func (p *prompt) draw(m *Model, screen area) {
	w := min(64, screen.w-4)
	fault := wrap(p.fault, w-4)
	if p.fault == "" {
		fault = nil
	}
	inner := popup(m, screen, w, 3+len(fault), p.title, "enter take it  esc leave")
	p.input.SetWidth(inner.w - 4)
	inner.draw(p.input.View())
	for i, line := range fault {
		inner.text(1, 1+i, m.theme.bad, line)
	}
}

// askValue asks for the value of a knob.
func (m *Model) askValue(k *knob) tea.Cmd {
	if k == nil {
		return nil
	}
	knob := *k
	m.prompt(knob.label(), strings.Replace(knob.show(&m.question), " ", "", 1), func(m *Model, text string) (tea.Cmd, error) {
		q, err := knob.set(m.question, text)
		if err == nil {
			err = q.Validate()
		}
		if err != nil {
			return nil, err
		}
		return m.change("", q, nil), nil
	})
	return nil
}

// A page is a text to read.
type page struct {
	title string
	lines []string
	top   int
}

func (p *page) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	next := *p
	m.overlay = &next
	switch k.String() {
	case "up", "k":
		next.top = max(p.top-1, 0)
	case "down", "j":
		next.top = min(p.top+1, max(len(p.lines)-1, 0))
	default:
		m.overlay = nil
	}
	return nil
}

func (p *page) draw(m *Model, screen area) {
	w := min(84, screen.w-4)
	var lines []string
	for _, l := range p.lines {
		lines = append(lines, wrap(l, w-4)...)
	}
	rows := min(len(lines), screen.h-4)
	inner := popup(m, screen, w, rows+2, p.title, "esc leave")
	top := min(p.top, len(lines)-rows)
	for r := range rows {
		inner.text(1, r, m.theme.text, lines[top+r])
	}
}
