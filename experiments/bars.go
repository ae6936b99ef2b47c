package experiments

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

const barRoom = 0.8 // of the distance between two groups of bars

// bars draws a group for each x, a bar for each series.
func (p *Plot) bars(c *plot.Plot, data []series) error {
	var groups []string
	for i := range data {
		for _, x := range data[i].x {
			if text := cellText(x); !slices.Contains(groups, text) {
				groups = append(groups, text)
			}
		}
	}
	width := barRoom / float64(len(data))
	low := 0.0
	if p.LogY {
		low = p.smallest(data) / 2
	}
	for i := range data {
		shift := (float64(i) - float64(len(data)-1)/2) * width
		if err := data[i].addBars(c, groups, shift, width, low); err != nil {
			return err
		}
	}
	ticks := make(plot.ConstantTicks, len(groups))
	for i, g := range groups {
		ticks[i] = plot.Tick{Value: float64(i), Label: g}
	}
	c.X.Tick.Marker, c.X.Min, c.X.Max = ticks, -0.6, float64(len(groups))-0.4
	c.X.Tick.LineStyle.Width = 0
	p.fromZero(c)
	return nil
}

func (p *Plot) smallest(data []series) float64 {
	least := math.Inf(1)
	for i := range data {
		least = min(least, slices.Min(data[i].y))
	}
	return least
}

func (s *series) addBars(c *plot.Plot, groups []string, shift, width, low float64) error {
	at := make(map[string][]float64)
	for k, x := range s.x {
		at[cellText(x)] = append(at[cellText(x)], s.y[k])
	}
	for g, name := range groups {
		if len(at[name]) == 0 {
			continue
		}
		m, x := meanOf(at[name]), float64(g)+shift
		half := width * 0.45
		bar, err := plotter.NewPolygon(plotter.XYs{{X: x - half, Y: low}, {X: x - half, Y: m.Mean}, {X: x + half, Y: m.Mean}, {X: x + half, Y: low}})
		if err != nil {
			return err
		}
		bar.Color, bar.LineStyle.Width = s.look.colour(), 0
		c.Add(bar)
		if err := addWhisker(c, x, m); err != nil {
			return err
		}
	}
	addLegend(c, s.name, swatch{s.look.colour()})
	return nil
}

// addWhisker draws a mean's interval, if it has one.
func addWhisker(c *plot.Plot, x float64, m Mean) error {
	if m.High <= m.Low {
		return nil
	}
	line, err := plotter.NewLine(plotter.XYs{{X: x, Y: m.Low}, {X: x, Y: m.High}})
	if err != nil {
		return err
	}
	line.Color, line.Width = inkColour, vg.Length(1)
	c.Add(line)
	return nil
}
