package results

import (
	"image/color"
	"io"
	"slices"
	"time"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of the drawn chart, in points.
const (
	rowHeight  = vg.Length(16)
	labelWidth = vg.Length(170)
	cellWidth  = vg.Length(1)
	margin     = vg.Length(10)
	axisHeight = vg.Length(20)
)

// Colours of the parts of a cell: they stay apart also for colour-blind eyes
// (Okabe and Ito's palette).
var (
	prefillColour = color.NRGBA{R: 230, G: 159, A: 255}
	decodeColour  = color.NRGBA{G: 114, B: 178, A: 255}
	loadColour    = color.NRGBA{G: 158, B: 115, A: 255}
	downColour    = color.NRGBA{R: 213, G: 94, A: 255}
	rowColour     = color.NRGBA{R: 240, G: 240, B: 240, A: 255}
)

func (g *Gantt) size() (width, height vg.Length) {
	columns := 0
	if len(g.Rows) > 0 {
		columns = len(g.Rows[0].Cells)
	}
	return 2*margin + labelWidth + cellWidth*vg.Length(columns), 2*margin + axisHeight + rowHeight*vg.Length(len(g.Rows))
}

// WriteSVG draws the chart, a point wide for each column.
func (g *Gantt) WriteSVG(w io.Writer) error {
	c := vgsvg.New(g.size())
	g.draw(c)
	_, err := c.WriteTo(w)
	return err
}

// WritePNG draws the chart, a point wide for each column.
func (g *Gantt) WritePNG(w io.Writer) error {
	width, height := g.size()
	c := vgimg.PngCanvas{Canvas: vgimg.New(width, height)}
	g.draw(c)
	_, err := c.WriteTo(w)
	return err
}

func (g *Gantt) draw(c vg.CanvasSizer) {
	d := pen{Canvas: draw.New(c), style: draw.TextStyle{
		Color: color.Black, Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, 9),
		Handler: text.Plain{Fonts: font.NewCache(liberation.Collection())},
	}}
	_, height := g.size()
	d.fill(color.White, 0, 0, d.Max.X, height)
	for i, r := range g.Rows {
		top := height - margin - rowHeight*vg.Length(i)
		d.row(r, top)
	}
	d.style.YAlign = draw.YTop
	d.FillText(d.style, vg.Point{X: margin + labelWidth, Y: margin + axisHeight - 4}, "0")
	d.style.XAlign = draw.XRight
	d.FillText(d.style, vg.Point{X: d.Max.X - margin, Y: margin + axisHeight - 4}, g.End.Round(10*time.Microsecond).String())
	d.legend(g)
}

// legend names the colours that the chart has, under the names.
func (d *pen) legend(g *Gantt) {
	d.style.XAlign = draw.XLeft
	x, y := margin, margin+axisHeight-4
	for _, part := range []struct {
		name   string
		colour color.Color
		of     func(Cell) float64
	}{
		{"prefill", prefillColour, func(c Cell) float64 { return c.Prefill }},
		{"decode", decodeColour, func(c Cell) float64 { return c.Decode }},
		{"load", loadColour, func(c Cell) float64 { return c.Load }},
		{"down", downColour, func(c Cell) float64 { return c.Down }},
	} {
		if g.has(part.of) {
			d.fill(part.colour, x, y-8, x+8, y)
			d.FillText(d.style, vg.Point{X: x + 10, Y: y}, part.name)
			x += 16 + d.style.Width(part.name)
		}
	}
}

func (g *Gantt) has(part func(Cell) float64) bool {
	return slices.ContainsFunc(g.Rows, func(r GanttRow) bool {
		return slices.ContainsFunc(r.Cells, func(c Cell) bool { return part(c) > 0 })
	})
}

// A pen draws rectangles and texts.
type pen struct {
	draw.Canvas
	style draw.TextStyle
}

func (d *pen) fill(c color.Color, x0, y0, x1, y1 vg.Length) {
	d.FillPolygon(c, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

// row draws a device or link below top: runs of equal cells as one rectangle.
func (d *pen) row(r GanttRow, top vg.Length) {
	d.style.YAlign = draw.YCenter
	d.FillText(d.style, vg.Point{X: margin, Y: top - rowHeight/2}, r.Name)
	left, low, high := margin+labelWidth, top-rowHeight+2, top-2
	if r.Link {
		low, high = low+3, high-3
	}
	d.fill(rowColour, left, low, left+cellWidth*vg.Length(len(r.Cells)), high)
	for i := 0; i < len(r.Cells); {
		shade, j := colourOf(r.Cells[i]), i+1
		for j < len(r.Cells) && colourOf(r.Cells[j]) == shade {
			j++
		}
		if shade.A > 0 {
			d.fill(shade, left+cellWidth*vg.Length(i), low, left+cellWidth*vg.Length(j), high)
		}
		i = j
	}
}

// colourOf is the colour of what fills most of a cell, as strong as the cell is full.
func colourOf(c Cell) color.NRGBA {
	most, colour := c.Decode, decodeColour
	for _, o := range []struct {
		part   float64
		colour color.NRGBA
	}{{c.Prefill, prefillColour}, {c.Load, loadColour}, {c.Down, downColour}} {
		if o.part > most {
			most, colour = o.part, o.colour
		}
	}
	colour.A = uint8(min(c.Busy()+c.Down, 1)*15+0.999) * 17
	return colour
}
