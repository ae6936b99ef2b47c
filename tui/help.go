package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// help lists all keys, those that mean something here first.
type help struct{ top int }

func (h *help) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	most := max(len(h.lines(m))-4, 0)
	switch k.String() {
	case "up", "k":
		m.overlay = &help{max(h.top-1, 0)}
	case "down", "j":
		m.overlay = &help{min(h.top+1, most)}
	case "pgdown", "space":
		m.overlay = &help{min(h.top+10, most)}
	case "pgup":
		m.overlay = &help{max(h.top-10, 0)}
	default:
		m.overlay = nil
	}
	return nil
}

// A helpLine is a key with what it does, or a heading.
type helpLine struct{ keys, text string }

func (h *help) lines(m *Model) []helpLine {
	all := []helpLine{{"", "here"}}
	for _, here := range []bool{true, false} {
		if !here {
			all = append(all, helpLine{}, helpLine{"", "elsewhere"})
		}
		for i := range m.actions {
			a := &m.actions[i]
			if a.here(m) != here || len(a.keys) == 0 && !here {
				continue
			}
			keys := keysText(a.keys)
			if n := len(all) - 1; all[n].text == a.help && textWidth(all[n].keys+keys) < 16 {
				all[n].keys += " " + keys // the two ways of one thing
				continue
			}
			all = append(all, helpLine{keys, a.help})
		}
	}
	return all
}

func (h *help) draw(m *Model, screen area) {
	lines := h.lines(m)
	rows := min(len(lines), screen.h-4)
	inner := popup(m, screen, min(84, screen.w-2), rows+2, "keys", "↑↓ space scroll  esc leave")
	top := min(h.top, len(lines)-rows)
	elsewhere := slices.Index(lines, helpLine{"", "elsewhere"})
	for r := range rows {
		l := lines[top+r]
		look := m.theme.text
		if top+r >= elsewhere {
			look = m.theme.dim
		}
		if l.keys == "" && (l.text == "here" || l.text == "elsewhere") {
			inner.text(1, r, m.theme.accent.strong(), l.text)
			continue
		}
		inner.text(1, r, m.theme.focus, clip(l.keys, 16))
		inner.text(18, r, look, clip(l.text, inner.w-19))
	}
}

func keysText(keys []string) string {
	return strings.NewReplacer("backspace", "bksp", "left", "←", "right", "→", "up", "↑", "down", "↓", "delete", "del").Replace(strings.Join(keys, " "))
}

// openCommands shows the commands that mean something here, to be found by name.
func (m *Model) openCommands() tea.Cmd {
	var items []item
	for i := range m.actions {
		a := m.actions[i]
		if a.here(m) && a.id != "commands" && a.help != "move" {
			items = append(items, item{name: a.help, detail: keysText(a.keys), do: a.do})
		}
	}
	for _, k := range m.backend.knobs() {
		items = append(items, item{name: "set " + k.name, detail: k.show(&m.question), do: func(m *Model) tea.Cmd { return m.askValue(&k) }})
	}
	m.overlay = newMenu("commands", items)
	return nil
}

// A tour shows the screen in six steps.
type tour struct{ step int }

// tourSteps are what the tour says.
var tourSteps = [][]string{
	{"Welcome. This is a cluster, a model, and the best plan to run one on the other.", "The line on top is the question; all of it can be changed."},
	{"Devices: a filled dot works, a bar is its memory. space takes one out, − and + change its memory, < and > its speed.", "Every change is answered at once; the last answer stays until then."},
	{"Links: bandwidth from row to column, red is slow; the plan uses the underlined ones.", "tab goes from pane to pane. − and + turn bandwidth, < and > latency."},
	{"The strip at the bottom is the model, from embedding to head, in the colours of the devices.", "Below it is where a token's time goes. w asks why, p pins a unit."},
	{"The prediction shows what the last step changed, and what is slowest. u undoes, U redoes.", "m keeps a scenario; 2 compares them, 3 draws a curve of the selected value."},
	{"r runs the plan, simulated; R on real workers, on the same screen.", ": finds a command, ? lists the keys, q quits. Everything is kept for next time."},
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

func (t tour) draw(m *Model, screen area) {
	w := min(72, screen.w-4)
	var lines []string
	for _, l := range tourSteps[t.step] {
		lines = append(lines, wrap(l, w-4)...)
	}
	marks := strings.Repeat("●", t.step+1) + strings.Repeat("○", len(tourSteps)-1-t.step)
	inner := popup(m, screen, w, len(lines)+2, "a short tour "+marks, "any key goes on  esc ends")
	for i, l := range lines {
		inner.text(1, i, m.theme.text, l)
	}
}
