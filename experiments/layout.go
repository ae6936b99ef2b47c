package experiments

import (
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Draw draws a plot of the table in the format of the plot's file, SVG or PNG.
func (p *Plot) Draw(w io.Writer, t *Table) error {
	c, err := p.canvas(t)
	if err != nil {
		return fmt.Errorf("%s: %w", p.File, err)
	}
	out, err := draw.NewFormattedCanvas(pictureWidth, pictureHeight, strings.TrimPrefix(filepath.Ext(p.File), "."))
	if err != nil {
		return err
	}
	p.layOut(draw.New(out), c)
	_, err = out.WriteTo(w)
	return err
}

// layOut draws the title over the whole width, the plot and, right of it so that it
// hides nothing, the legend.
func (p *Plot) layOut(all draw.Canvas, c *plot.Plot) {
	const margin = 8
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	all = draw.Crop(all, margin, -margin, margin, -margin)
	if p.Title != "" {
		style := c.Title.TextStyle
		style.XAlign, style.YAlign = draw.XLeft, draw.YTop
		title := wrapped(p.Title, " ", func(s string) bool { return style.Width(s) <= all.Size().X })
		all.FillText(style, vg.Point{X: all.Min.X, Y: all.Max.Y}, title)
		all = draw.Crop(all, 0, 0, 0, -style.Height(title)-margin)
	}
	legend := c.Legend
	c.Legend = plot.NewLegend()
	width := vg.Length(0)
	if p.Series != "" {
		width = legend.Rectangle(all).Size().X + 2*margin
		legend.Draw(draw.Crop(all, all.Size().X-width+margin, 0, 0, 0))
	}
	body := draw.Crop(all, 0, -width, 0, 0)
	if ticks, named := c.X.Tick.Marker.(plot.ConstantTicks); named {
		wrapTicks(c, ticks, body.Size().X)
	}
	c.Draw(body)
}

// wrapTicks breaks names across that are wider than their share of the width.
func wrapTicks(c *plot.Plot, ticks plot.ConstantTicks, width vg.Length) {
	const forY = 55 // points: what the upward axis takes
	room := (width - forY) / vg.Length(max(len(ticks), 1)) * 0.95
	style := c.X.Tick.Label
	for i := range ticks {
		ticks[i].Label = wrapped(ticks[i].Label, "-", func(s string) bool { return style.Width(s) <= room })
	}
}

// wrapped breaks a text into lines that fit, where they can, after a separator.
func wrapped(text, separator string, fits func(string) bool) string {
	var lines []string
	line := ""
	for _, part := range strings.SplitAfter(text, separator) {
		if line != "" && !fits(line+part) {
			lines, line = append(lines, strings.TrimSuffix(line, " ")), ""
		}
		line += part
	}
	return strings.Join(append(lines, line), "\n")
}

func (p *Plot) canvas(t *Table) (*plot.Plot, error) {
	names, err := p.names(t)
	if err != nil {
		return nil, err
	}
	if t, err = t.Where(p.Where); err != nil {
		return nil, err
	}
	data, err := p.series(t)
	if err != nil {
		return nil, err
	}
	for i := range data {
		data[i].look = look{slices.Index(names, data[i].name), len(names)}
	}
	slices.SortStableFunc(data, func(a, b series) int { return a.look.index - b.look.index })
	c := newCanvas(p)
	draw := map[string]func(*plot.Plot, []series) error{
		"line": p.lines, "bar": p.bars, "cdf": p.cdf, "scatter": p.scatter, agreement: p.agreement, "pareto": p.pareto, "heat": p.heat,
	}[p.Kind]
	if err := draw(c, data); err != nil {
		return nil, err
	}
	scales(c, p.LogX && p.Kind != "bar", p.LogY)
	return c, nil
}

// names are the series in all of a table, whatever is drawn of it: so a series
// looks alike in all plots of one table.
func (p *Plot) names(t *Table) ([]string, error) {
	if p.Series == "" {
		return []string{""}, nil
	}
	c, err := t.Column(p.Series)
	if err != nil {
		return nil, err
	}
	var names []string
	seen := make(map[string]bool)
	for _, row := range t.Rows {
		if name := cellText(row[c]); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}
