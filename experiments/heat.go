package experiments

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// swatch is a bar's colour in the legend.
type swatch struct{ color.Color }

// Thumbnail fills the legend's cell.
func (s swatch) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(s.Color, []vg.Point{{X: c.Min.X, Y: c.Min.Y}, {X: c.Min.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Min.Y}})
}

// shades run from light to dark in one direction of brightness, so that they also
// hold in grey: viridis backwards, in five steps.
var shades = []color.NRGBA{
	{R: 253, G: 231, B: 37, A: 255}, {R: 94, G: 201, B: 98, A: 255}, {R: 33, G: 145, B: 140, A: 255},
	{R: 59, G: 82, B: 139, A: 255}, {R: 68, G: 1, B: 84, A: 255},
}

// shade returns the colour at a share u of the scale.
func shade(u float64) color.NRGBA {
	u = min(max(u, 0), 1) * float64(len(shades)-1)
	i := min(int(u), len(shades)-2)
	a, b, f := shades[i], shades[i+1], u-float64(i)
	mix := func(x, y uint8) uint8 { return uint8(float64(x) + f*(float64(y)-float64(x)) + 0.5) }
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 255}
}

// heat draws a cell for each x and y, coloured and labelled by the mean of z.
func (p *Plot) heat(c *plot.Plot, data []series) error {
	if len(data) != 1 {
		return fmt.Errorf("a heat map has no series")
	}
	s := &data[0]
	xs, ys := distinct(s.x), distinct(anys(s.y))
	cells := make(map[[2]int][]float64)
	for i, x := range s.x {
		k := [2]int{slices.Index(xs, cellText(x)), slices.Index(ys, cellText(s.y[i]))}
		cells[k] = append(cells[k], s.z[i])
	}
	low, high := slices.Min(s.z), slices.Max(s.z)
	for k, values := range cells {
		m := meanOf(values).Mean
		u := 0.0
		if high > low {
			u = (m - low) / (high - low)
		}
		if err := addCell(c, float64(k[0]), float64(k[1]), u, short(m)); err != nil {
			return err
		}
	}
	c.X.Tick.Marker, c.Y.Tick.Marker = namedTicks(xs), namedTicks(ys)
	c.X.Min, c.X.Max, c.Y.Min, c.Y.Max = -0.5, float64(len(xs))-0.5, -0.5, float64(len(ys))-0.5
	return nil
}

func anys(values []float64) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// distinct returns the values' texts, numbers in order.
func distinct(values []any) []string {
	sorted := slices.Clone(values)
	slices.SortStableFunc(sorted, func(a, b any) int {
		x, isX := number(a)
		y, isY := number(b)
		if !isX || !isY {
			return 0
		}
		return cmp.Compare(x, y)
	})
	var texts []string
	for _, v := range sorted {
		if t := cellText(v); !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
	}
	return texts
}

func namedTicks(names []string) plot.ConstantTicks {
	ticks := make(plot.ConstantTicks, len(names))
	for i, n := range names {
		ticks[i] = plot.Tick{Value: float64(i), Label: n}
	}
	return ticks
}

func addCell(c *plot.Plot, x, y, u float64, text string) error {
	const h = 0.5
	cell, err := plotter.NewPolygon(plotter.XYs{{X: x - h, Y: y - h}, {X: x - h, Y: y + h}, {X: x + h, Y: y + h}, {X: x + h, Y: y - h}})
	if err != nil {
		return err
	}
	cell.Color, cell.LineStyle.Color, cell.LineStyle.Width = shade(u), color.White, 1
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{text}})
	if err != nil {
		return err
	}
	style := &labels.TextStyle[0]
	style.Font, style.Handler = c.X.Tick.Label.Font, c.TextHandler
	style.XAlign, style.YAlign, style.Color = draw.XCenter, draw.YCenter, color.Black
	if u > 0.4 {
		style.Color = color.White
	}
	c.Add(cell, labels)
	return nil
}
