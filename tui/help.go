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
