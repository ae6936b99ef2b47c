package tui

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"

	"github.com/edgeshard/edgeshard/tui/picture"
)

// openExport offers what is seen as a picture, or as a Markdown table.
func (m *Model) openExport() tea.Cmd {
	screen := *m
	look := picture.Light
	if m.theme.dark {
		look = picture.Dark
	}
	drawn := func(draw func(io.Writer, *uv.Buffer, picture.Look) error) func(string) error {
		return func(file string) error {
			var b bytes.Buffer
			if err := draw(&b, screen.render().buf.Buffer, look); err != nil {
				return err
			}
			return writeFile(file, b.Bytes())
		}
	}
	name := fileName(m.question.Topology.Name)
	all := []saving{
		{"PNG picture of the screen", name + ".png", drawn(picture.PNG)},
		{"SVG picture of the screen", name + ".svg", drawn(picture.SVG)},
		{"Markdown table of the scenarios", name + ".md", func(f string) error { return writeFile(f, []byte(screen.markdown())) }},
	}
	var items []item
	for _, s := range all {
		items = append(items, item{name: s.what, detail: s.file, do: func(m *Model) tea.Cmd { return m.askFile(s) }})
	}
	items = append(items, item{name: "copy the table as Markdown", do: func(m *Model) tea.Cmd {
		m.say("copied the table of the scenarios")
		return tea.SetClipboard(screen.markdown())
	}})
	m.overlay = newMenu("export", items)
	return nil
}

// markdown writes the comparison of the scenarios as a table.
func (m *Model) markdown() string {
	var b strings.Builder
	b.WriteString("| | now |")
	for _, e := range m.scenarios.entries {
		fmt.Fprintf(&b, " %s |", escaped(e.Name))
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(m.scenarios.entries)+1) + "\n")
	for _, r := range m.rows() {
		fmt.Fprintf(&b, "| %s |", escaped(r.name))
		for _, c := range r.cells {
			fmt.Fprintf(&b, " %s |", escaped(c))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func escaped(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
