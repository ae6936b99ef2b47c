package experiments

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// A series is the rows of one value of the plot's series column.
type series struct {
	name   string
	look   look
	x      []any
	y, z   []float64
	number []float64 // x as numbers, where all are
}

// series splits the rows that have all the figures drawn.
func (p *Plot) series(t *Table) ([]series, error) {
	at := make(map[string]int)
	for _, name := range []string{p.X, p.Y, p.Z, p.Series} {
		if name == "" {
			continue
		}
		c, err := t.Column(name)
		if err != nil {
			return nil, err
		}
		at[name] = c
	}
	var all []series
	for _, row := range t.Rows {
		s := series{x: []any{row[at[p.X]]}}
		ok := row[at[p.X]] != nil
		for _, f := range []struct {
			name string
			into *[]float64
		}{{p.Y, &s.y}, {p.Z, &s.z}} {
			if f.name != "" {
				v, is := number(row[at[f.name]])
				*f.into, ok = []float64{v}, ok && is
			}
		}
		if p.Series != "" {
			s.name = cellText(row[at[p.Series]])
		}
		if ok {
			all = join(all, s)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no row has all of %s", strings.Join(slices.DeleteFunc([]string{p.X, p.Y, p.Z}, func(s string) bool { return s == "" }), ", "))
	}
	for i := range all {
		all[i].numbers()
	}
	return all, nil
}

func join(all []series, s series) []series {
	i := slices.IndexFunc(all, func(o series) bool { return o.name == s.name })
	if i < 0 {
		return append(all, s)
	}
	o := &all[i]
	o.x, o.y, o.z = append(o.x, s.x...), append(o.y, s.y...), append(o.z, s.z...)
	return all
}

func (s *series) numbers() {
	for _, x := range s.x {
		v, ok := number(x)
		if !ok {
			s.number = nil
			return
		}
		s.number = append(s.number, v)
	}
}

// A spot is the mean of the rows at one x.
type spot struct {
	x float64
	Mean
}

// spots returns the means over rows of equal x, by x.
func (s *series) spots() []spot {
	at := make(map[float64][]float64)
	for i, x := range s.number {
		at[x] = append(at[x], s.y[i])
	}
	var list []spot
	for x, values := range at {
		list = append(list, spot{x, meanOf(values)})
	}
	slices.SortFunc(list, func(a, b spot) int { return cmp.Compare(a.x, b.x) })
	return list
}

func (p *Plot) lines(c *plot.Plot, data []series) error {
	for i := range data {
		if data[i].number == nil {
			return fmt.Errorf("x: column %s has no numbers: draw bars", p.X)
		}
		spots := data[i].spots()
		line := make(plotter.XYs, len(spots))
		band := make(plotter.XYs, 0, 2*len(spots))
		wide := false
		for k, s := range spots {
			line[k] = plotter.XY{X: s.x, Y: s.Mean.Mean}
			band = append(band, plotter.XY{X: s.x, Y: s.High})
			wide = wide || s.High > s.Low
		}
		for k := len(spots) - 1; k >= 0; k-- {
			band = append(band, plotter.XY{X: spots[k].x, Y: spots[k].Low})
		}
		if wide {
			if err := addBand(c, band, data[i].look); err != nil {
				return err
			}
		}
		if err := addLine(c, line, &data[i]); err != nil {
			return err
		}
	}
	p.fromZero(c)
	return nil
}

// fromZero starts an upward axis at 0 where its scale allows it.
func (p *Plot) fromZero(c *plot.Plot) {
	if !p.LogY {
		c.Y.Min = min(c.Y.Min, 0)
		c.Y.Max += 0.03 * (c.Y.Max - c.Y.Min)
	}
}

func addBand(c *plot.Plot, around plotter.XYs, l look) error {
	b, err := plotter.NewPolygon(around)
	if err != nil {
		return err
	}
	b.Color, b.LineStyle.Width = faint(l.colour()), 0
	c.Add(b)
	return nil
}

func addLine(c *plot.Plot, at plotter.XYs, s *series) error {
	line, points, err := plotter.NewLinePoints(at)
	if err != nil {
		return err
	}
	line.Color, line.Width, line.Dashes = s.look.colour(), 1.6, s.look.dash()
	points.Color, points.Radius, points.Shape = s.look.colour(), 2.6, s.look.glyph()
	c.Add(line, points)
	addLegend(c, s.name, line, points)
	return nil
}

// addPoints draws points without lines.
func addPoints(c *plot.Plot, at plotter.XYs, s *series) error {
	points, err := plotter.NewScatter(at)
	if err != nil {
		return err
	}
	points.GlyphStyle = draw.GlyphStyle{Color: s.look.colour(), Radius: 2.6, Shape: s.look.glyph()}
	c.Add(points)
	addLegend(c, s.name, points)
	return nil
}

func (p *Plot) scatter(c *plot.Plot, data []series) error {
	for i := range data {
		at, err := p.points(&data[i])
		if err != nil {
			return err
		}
		if err := addPoints(c, at, &data[i]); err != nil {
			return err
		}
	}
	return nil
}

// agreement draws points and the line on which ours are those published.
func (p *Plot) agreement(c *plot.Plot, data []series) error {
	if err := p.scatter(c, data); err != nil {
		return err
	}
	least, most := math.Inf(1), 0.0
	for i := range data {
		for j, x := range data[i].number {
			least, most = min(least, x, data[i].y[j]), max(most, x, data[i].y[j])
		}
	}
	line, err := plotter.NewLine(plotter.XYs{{X: least, Y: least}, {X: most, Y: most}})
	if err != nil {
		return err
	}
	line.Color = color.Gray{Y: 128}
	c.Add(line)
	return nil
}

func (p *Plot) points(s *series) (plotter.XYs, error) {
	if s.number == nil {
		return nil, fmt.Errorf("x: column %s has no numbers", p.X)
	}
	at := make(plotter.XYs, len(s.number))
	for i, x := range s.number {
		at[i] = plotter.XY{X: x, Y: s.y[i]}
	}
	return at, nil
}

// pareto draws all points and, as steps, those that no other beats in both x and y.
func (p *Plot) pareto(c *plot.Plot, data []series) error {
	if err := p.scatter(c, data); err != nil {
		return err
	}
	for i := range data {
		at, err := p.points(&data[i])
		if err != nil {
			return err
		}
		line, err := plotter.NewLine(front(at, p.Largest))
		if err != nil {
			return err
		}
		line.Color, line.Width, line.StepStyle = data[i].look.colour(), 1.4, plotter.PostStep
		c.Add(line)
	}
	return nil
}

// front returns the points with no other of a smaller x that is as good in y.
func front(at plotter.XYs, largest bool) plotter.XYs {
	sorted := slices.Clone(at)
	better := func(a, b float64) bool { return a < b != largest && a != b }
	slices.SortFunc(sorted, func(a, b plotter.XY) int {
		order := cmp.Compare(a.Y, b.Y)
		if largest {
			order = -order
		}
		return cmp.Or(cmp.Compare(a.X, b.X), order)
	})
	var kept plotter.XYs
	for _, q := range sorted {
		if len(kept) == 0 || better(q.Y, kept[len(kept)-1].Y) {
			kept = append(kept, q)
		}
	}
	return kept
}

// cdf draws the share of rows whose x is at most that.
func (p *Plot) cdf(c *plot.Plot, data []series) error {
	for i := range data {
		x := slices.Clone(data[i].number)
		if x == nil {
			return fmt.Errorf("x: column %s has no numbers", p.X)
		}
		slices.Sort(x)
		at := plotter.XYs{{X: x[0], Y: 0}}
		for k, v := range x {
			at = append(at, plotter.XY{X: v, Y: float64(k+1) / float64(len(x))})
		}
		line, err := plotter.NewLine(at)
		if err != nil {
			return err
		}
		line.Color, line.Width, line.Dashes, line.StepStyle = data[i].look.colour(), 1.6, data[i].look.dash(), plotter.PostStep
		c.Add(line)
		addLegend(c, data[i].name, line)
	}
	c.Y.Label.Text, c.Y.Min, c.Y.Max = label(p.YLabel, "share"), 0, 1
	return nil
}
