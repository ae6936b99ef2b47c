// Package picture draws a terminal's screen as PNG or SVG.
package picture

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// A Look is what a terminal shows where a cell names no colours.
type Look struct{ Text, Background color.Color }

// The looks of a dark and of a light terminal.
var (
	Dark  = Look{color.RGBA{0xd7, 0xdc, 0xe2, 0xff}, color.RGBA{0x10, 0x14, 0x19, 0xff}}
	Light = Look{color.RGBA{0x24, 0x29, 0x2f, 0xff}, color.RGBA{0xff, 0xff, 0xff, 0xff}}
)

// Parse returns the screen that text with escape codes shows, w × h cells.
func Parse(text string, w, h int) *uv.Buffer {
	b := uv.NewScreenBuffer(w, h)
	uv.NewStyledString(strings.ReplaceAll(text, "\r\n", "\n")).Draw(b, uv.Rect(0, 0, w, h))
	return b.Buffer
}

// Size of a cell in pixels; half of it in an SVG's units.
const (
	cellW = 12
	cellH = 24
)

// colours returns what a cell is drawn in.
func (l Look) colours(c *uv.Cell) (text, background color.Color) {
	text, background = l.Text, l.Background
	if c.Style.Fg != nil {
		text = c.Style.Fg
	}
	if c.Style.Bg != nil {
		background = c.Style.Bg
	}
	if c.Style.Attrs&uv.AttrReverse != 0 {
		text, background = background, text
	}
	if c.Style.Attrs&uv.AttrFaint != 0 {
		text = mix(text, background, 0.45)
	}
	return text, background
}

// mix returns a with a share of b.
func mix(a, b color.Color, share float64) color.Color {
	r, g, bl, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	part := func(x, y uint32) uint8 { return uint8((float64(x)*(1-share) + float64(y)*share) / 257) }
	return color.RGBA{part(r, r2), part(g, g2), part(bl, b2), 0xff}
}

// PNG writes the screen as an image.
func PNG(w io.Writer, b *uv.Buffer, l Look) error {
	p, err := newPainter(b.Width()*cellW, b.Height()*cellH, l.Background)
	if err != nil {
		return err
	}
	each(b, func(x, y int, c *uv.Cell) {
		text, background := l.colours(c)
		p.fill(image.Rect(x*cellW, y*cellH, (x+max(c.Width, 1))*cellW, (y+1)*cellH), background)
		if c.Content != "" && c.Content != " " {
			p.glyph(x*cellW, y*cellH, c.Content, text, c.Style.Attrs&uv.AttrBold != 0)
		}
		if c.Style.Underline != uv.UnderlineNone {
			p.fill(image.Rect(x*cellW, y*cellH+cellH-3, (x+max(c.Width, 1))*cellW, y*cellH+cellH-2), text)
		}
	})
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, paletted(p.image)); err != nil {
		return fmt.Errorf("png: %w", err)
	}
	return nil
}

func each(b *uv.Buffer, do func(x, y int, c *uv.Cell)) {
	for y := range b.Height() {
		for x := range b.Width() {
			if c := b.CellAt(x, y); c != nil && c.Width > 0 {
				do(x, y, c)
			}
		}
	}
}

// SVG writes the screen as a drawing with text that can be selected.
func SVG(w io.Writer, b *uv.Buffer, l Look) error {
	const cw, ch = cellW / 2, cellH / 2
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="10">`+"\n",
		b.Width()*cw, b.Height()*ch)
	fmt.Fprintf(&s, `<rect width="100%%" height="100%%" fill="%s"/>`+"\n", hex(l.Background))
	each(b, func(x, y int, c *uv.Cell) {
		if _, background := l.colours(c); hex(background) != hex(l.Background) {
			fmt.Fprintf(&s, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", x*cw, y*ch, max(c.Width, 1)*cw, ch, hex(background))
		}
	})
	for y := range b.Height() {
		svgLine(&s, b, l, y)
	}
	s.WriteString("</svg>\n")
	_, err := io.WriteString(w, s.String())
	return err
}

// svgLine writes a line's texts, neighbours of one look in one element.
func svgLine(s *strings.Builder, b *uv.Buffer, l Look, y int) {
	const cw, ch = cellW / 2, cellH / 2
	for x := 0; x < b.Width(); {
		c := b.CellAt(x, y)
		if c == nil || strings.TrimSpace(c.Content) == "" {
			x++
			continue
		}
		look, from, text := attributes(c, l), x, ""
		for ; x < b.Width(); x++ {
			next := b.CellAt(x, y)
			if next == nil || next.Width == 0 {
				continue
			}
			if attributes(next, l) != look {
				break
			}
			text += next.Content
		}
		text = strings.TrimRight(text, " ")
		fmt.Fprintf(s, `<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs" xml:space="preserve"%s>%s</text>`+"\n",
			from*cw, y*ch+9, cw*cells(text), look, html.EscapeString(text))
	}
}

func cells(text string) int { return uv.NewStyledString(text).UnicodeWidth() }

func attributes(c *uv.Cell, l Look) string {
	text, _ := l.colours(c)
	s := fmt.Sprintf(` fill="%s"`, hex(text))
	if c.Style.Attrs&uv.AttrBold != 0 {
		s += ` font-weight="bold"`
	}
	if c.Style.Underline != uv.UnderlineNone {
		s += ` text-decoration="underline"`
	}
	return s
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
