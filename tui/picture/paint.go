package picture

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"unicode/utf8"

	"codeberg.org/go-fonts/liberation/liberationmonobold"
	"codeberg.org/go-fonts/liberation/liberationmonoregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// A painter draws glyphs into an image. Lines, blocks and dots of terminals are
// drawn as shapes, so that they join.
type painter struct {
	image         *image.RGBA
	regular, bold font.Face
}

const (
	fontSize = 20 // whose advance in Liberation Mono is cellW
	baseline = 18
)

func newPainter(w, h int, background color.Color) (*painter, error) {
	p := &painter{image: image.NewRGBA(image.Rect(0, 0, w, h))}
	p.fill(p.image.Bounds(), background)
	for into, data := range map[*font.Face][]byte{&p.regular: liberationmonoregular.TTF, &p.bold: liberationmonobold.TTF} {
		f, err := opentype.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("font: %w", err)
		}
		if *into, err = opentype.NewFace(f, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull}); err != nil {
			return nil, fmt.Errorf("font: %w", err)
		}
	}
	return p, nil
}

func (p *painter) fill(r image.Rectangle, c color.Color) {
	draw.Draw(p.image, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// glyph draws one character into the cell at (x, y).
func (p *painter) glyph(x, y int, content string, c color.Color, bold bool) {
	r, _ := utf8.DecodeRuneInString(content)
	switch {
	case r >= 0x2800 && r <= 0x28ff:
		p.braille(x, y, r, c)
		return
	case r >= 0x2580 && r <= 0x259f:
		p.block(x, y, r, c)
		return
	}
	if lines, ok := strokes[r]; ok {
		for _, l := range lines {
			p.line(x, y, l, c)
		}
		return
	}
	if shape, ok := shapes[r]; ok {
		p.polygon(x, y, shape, c)
		return
	}
	face := p.regular
	if bold {
		face = p.bold
	}
	d := font.Drawer{Dst: p.image, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y+baseline)}
	d.DrawString(content)
}

// braille draws the dots of U+2800 and following: bit i of dots is at dotAt[i].
func (p *painter) braille(x, y int, r rune, c color.Color) {
	at := [8][2]int{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {0, 3}, {1, 3}}
	for i, d := range at {
		if (r-0x2800)>>i&1 == 1 {
			cx, cy := x+2+d[0]*6, y+2+d[1]*6
			p.fill(image.Rect(cx, cy, cx+3, cy+3), c)
		}
	}
}

// block draws a block element: eighths from below or from the left, shades.
func (p *painter) block(x, y int, r rune, c color.Color) {
	cell := image.Rect(x, y, x+cellW, y+cellH)
	switch {
	case r == 0x2580:
		cell.Max.Y = y + cellH/2
	case r >= 0x2581 && r <= 0x2588:
		cell.Min.Y = y + cellH - cellH*int(r-0x2580)/8
	case r >= 0x2589 && r <= 0x258f:
		cell.Max.X = x + cellW*int(0x2590-r)/8
	case r == 0x2590:
		cell.Min.X = x + cellW/2
	case r >= 0x2591 && r <= 0x2593:
		share := []float64{0.7, 0.5, 0.25}[r-0x2591]
		c = mix(c, p.image.At(x, y), share)
	case r == 0x2594:
		cell.Max.Y = y + cellH/8
	}
	p.fill(cell, c)
}

// A stroke is a line in a cell of 12 × 24.
type stroke struct{ x0, y0, x1, y1, width float32 }

// strokes are characters made of lines.
var strokes = map[rune][]stroke{
	'─': {{0, 12, 12, 12, 1.6}}, '━': {{0, 12, 12, 12, 4}}, '│': {{6, 0, 6, 24, 1.6}}, '┃': {{6, 0, 6, 24, 4}},
	'╌': {{1, 12, 5, 12, 1.6}, {7, 12, 11, 12, 1.6}},
	'╭': {{6, 16, 6, 24, 1.6}, {6, 16, 10, 12, 1.6}, {10, 12, 12, 12, 1.6}}, '╮': {{6, 16, 6, 24, 1.6}, {6, 16, 2, 12, 1.6}, {2, 12, 0, 12, 1.6}},
	'╰': {{6, 0, 6, 8, 1.6}, {6, 8, 10, 12, 1.6}, {10, 12, 12, 12, 1.6}}, '╯': {{6, 0, 6, 8, 1.6}, {6, 8, 2, 12, 1.6}, {2, 12, 0, 12, 1.6}},
	'└': {{6, 0, 6, 12, 1.6}, {6, 12, 12, 12, 1.6}}, '┤': {{6, 0, 6, 24, 1.6}, {0, 12, 6, 12, 1.6}}, '├': {{6, 0, 6, 24, 1.6}, {6, 12, 12, 12, 1.6}},
	'✓': {{2, 13, 5, 17, 2}, {5, 17, 11, 7, 2}}, '✗': {{2, 7, 10, 17, 2}, {10, 7, 2, 17, 2}},
	'‖': {{4, 6, 4, 18, 2.4}, {8, 6, 8, 18, 2.4}}, '▬': {{0, 12, 12, 12, 8}},
	'◇': {{6, 7, 11, 12, 1.6}, {11, 12, 6, 17, 1.6}, {6, 17, 1, 12, 1.6}, {1, 12, 6, 7, 1.6}},
}

// shapes are characters made of a filled polygon.
var shapes = map[rune][][2]float32{
	'◆': {{6, 6}, {12, 12}, {6, 18}, {0, 12}}, '▸': {{3, 7}, {10, 12}, {3, 17}}, '▶': {{1, 5}, {12, 12}, {1, 19}},
	'▲': {{6, 6}, {11.5, 17}, {0.5, 17}}, '▼': {{6, 18}, {11.5, 7}, {0.5, 7}}, '■': {{1, 7}, {11, 7}, {11, 17}, {1, 17}},
}

// line draws a stroke as a thin rectangle along it.
func (p *painter) line(x, y int, s stroke, c color.Color) {
	dx, dy := s.x1-s.x0, s.y1-s.y0
	n := max(abs(dx), abs(dy))
	nx, ny := -dy/n*s.width/2, dx/n*s.width/2
	p.polygon(x, y, [][2]float32{{s.x0 + nx, s.y0 + ny}, {s.x1 + nx, s.y1 + ny}, {s.x1 - nx, s.y1 - ny}, {s.x0 - nx, s.y0 - ny}}, c)
}

func abs(v float32) float32 { return max(v, -v) }

// polygon fills a polygon in the cell at (x, y).
func (p *painter) polygon(x, y int, points [][2]float32, c color.Color) {
	v := vector.NewRasterizer(cellW, cellH)
	v.MoveTo(points[0][0], points[0][1])
	for _, q := range points[1:] {
		v.LineTo(q[0], q[1])
	}
	v.ClosePath()
	v.Draw(p.image, image.Rect(x, y, x+cellW, y+cellH), image.NewUniform(c), image.Point{})
}
