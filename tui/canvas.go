package tui

import (
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// A style is how a cell looks.
type style struct {
	fg, bg  color.Color
	bold    bool
	faint   bool
	reverse bool
	under   bool
}

func (s style) with(fg color.Color) style { s.fg = fg; return s }
func (s style) strong() style             { s.bold = true; return s }

func (s style) cell() uv.Style {
	c := uv.Style{Fg: s.fg, Bg: s.bg}
	for _, a := range []struct {
		on   bool
		attr uint8
	}{{s.bold, uv.AttrBold}, {s.faint, uv.AttrFaint}, {s.reverse, uv.AttrReverse}} {
		if a.on {
			c.Attrs |= a.attr
		}
	}
	if s.under {
		c.Underline = uv.UnderlineSingle
	}
	return c
}

// An area is a rectangle of the screen; what is drawn outside of it is cut off.
type area struct {
	buf        uv.ScreenBuffer
	x, y, w, h int
}

// newScreen returns an empty screen.
func newScreen(w, h int) area {
	return area{buf: uv.NewScreenBuffer(w, h), w: w, h: h}
}

// String returns the screen with its escape codes.
func (a area) String() string { return a.buf.Render() }

// has tells whether a point of the screen is in the area.
func (a area) has(x, y int) bool { return x >= a.x && x < a.x+a.w && y >= a.y && y < a.y+a.h }

// at returns the part of the area that starts at (x, y) and is at most w × h.
func (a area) at(x, y, w, h int) area {
	x, y = min(max(x, 0), a.w), min(max(y, 0), a.h)
	a.x, a.y, a.w, a.h = a.x+x, a.y+y, min(max(w, 0), a.w-x), min(max(h, 0), a.h-y)
	return a
}

// top and left cut n rows or columns off, and return them and the rest.
func (a area) top(n int) (area, area)  { return a.at(0, 0, a.w, n), a.at(0, n, a.w, a.h-n) }
func (a area) left(n int) (area, area) { return a.at(0, 0, n, a.h), a.at(n, 0, a.w-n, a.h) }

// put sets one cell.
func (a area) put(x, y int, s style, content string) {
	if x < 0 || y < 0 || x >= a.w || y >= a.h {
		return
	}
	a.buf.SetCell(a.x+x, a.y+y, &uv.Cell{Content: content, Width: 1, Style: s.cell()})
}

// text writes from x on and returns where it ended. Control characters are left out.
func (a area) text(x, y int, s style, text string) int {
	if y < 0 || y >= a.h {
		return x
	}
	look := s.cell()
	for len(text) > 0 {
		cluster, width := text[:1], 1
		if text[0] < ' ' || text[0] > '~' {
			cluster, width = ansi.FirstGraphemeCluster(text, ansi.GraphemeWidth)
		}
		text = text[len(cluster):]
		if width <= 0 || cluster[0] < ' ' || cluster[0] == 0x7f {
			continue
		}
		if x+width > a.w {
			return x
		}
		if x >= 0 {
			a.buf.SetCell(a.x+x, a.y+y, &uv.Cell{Content: cluster, Width: width, Style: look})
		}
		x += width
	}
	return x
}

// right writes so that the text ends before column x.
func (a area) right(x, y int, s style, text string) { a.text(x-textWidth(text), y, s, text) }

// spans writes several texts from column 1 on, each in its style.
func (a area) spans(y int, parts ...part) int {
	x := 1
	for _, p := range parts {
		x = a.text(x, y, p.style, p.text)
	}
	return x
}

// A part is a text in a style.
type part struct {
	style style
	text  string
}

// tint sets the background of what has been drawn; nil changes nothing.
func (a area) tint(bg color.Color) {
	if bg == nil {
		return
	}
	for y := range a.h {
		for x := range a.w {
			if c := a.buf.CellAt(a.x+x, a.y+y); c != nil && c.Style.Bg == nil {
				c.Style.Bg = bg
			}
		}
	}
}

// light draws what is at the area's edge in another colour.
func (a area) light(s style) {
	for y := range a.h {
		for x := range a.w {
			edge := y == 0 || y == a.h-1 || x == 0 || x == a.w-1
			if c := a.buf.CellAt(a.x+x, a.y+y); c != nil && edge && c.Content != " " {
				c.Style = s.strong().cell()
			}
		}
	}
}

// fill sets every cell.
func (a area) fill(s style, content string) {
	for y := range a.h {
		for x := range a.w {
			a.put(x, y, s, content)
		}
	}
}

// draw writes what another library rendered.
func (a area) draw(rendered string) {
	uv.NewStyledString(rendered).Draw(a.buf, uv.Rect(a.x, a.y, a.w, a.h))
}

// box draws a border with a title and a foot note and returns the area inside.
func (a area) box(border, caption style, title, foot string) area {
	if a.w < 2 || a.h < 2 {
		return a.at(0, 0, 0, 0)
	}
	rule := strings.Repeat("─", a.w-2)
	a.text(0, 0, border, "╭"+rule+"╮")
	a.text(0, a.h-1, border, "╰"+rule+"╯")
	for y := 1; y < a.h-1; y++ {
		a.put(0, y, border, "│")
		a.put(a.w-1, y, border, "│")
	}
	room := a.at(2, 0, a.w-4, a.h)
	if title != "" {
		room.text(0, 0, caption, " "+clip(title, room.w-2)+" ")
	}
	if foot != "" {
		foot = " " + clip(foot, room.w-2) + " "
		room.right(room.w, a.h-1, caption, foot)
	}
	return a.at(1, 1, a.w-2, a.h-2)
}

func textWidth(s string) int { return ansi.StringWidth(s) }

// clip shortens a text to w cells.
func clip(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return ansi.Truncate(s, w, "…")
}

// pad fills a text up to w cells, or shortens it.
func pad(s string, w int) string {
	s = clip(s, w)
	return s + strings.Repeat(" ", max(0, w-textWidth(s)))
}

// wrap breaks a text into lines of at most w cells.
func wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	return strings.Split(ansi.Wrap(s, w, ""), "\n")
}
