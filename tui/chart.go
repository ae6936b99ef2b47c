package tui

import (
	"math"

	"charm.land/lipgloss/v2"
	"github.com/NimbleMarkets/ntcharts/v2/canvas"
	"github.com/NimbleMarkets/ntcharts/v2/linechart"
)

// A point of a chart; not a number where there is none.
type point struct{ x, y float64 }

// chart draws a line through points with its axes. label writes what stands at
// an x. It returns the cell of each point, for marks.
func (m *Model) chart(a area, points []point, lineLook style, label func(x float64) string) []cellAt {
	minX, maxX, minY, maxY := bounds(points)
	labels := a.at(0, a.h-1, a.w, 1)
	a.h--
	if a.w < 12 || a.h < 4 || minX > maxX {
		return nil
	}
	c := linechart.New(a.w, a.h, minX, maxX, minY, maxY,
		linechart.WithXYSteps(0, 2),
		linechart.WithYLabelFormatter(func(_ int, y float64) string { return digits(y) }),
		linechart.WithStyles(lip(m.theme.border), lip(m.theme.dim), lip(lineLook)))
	c.DrawXYAxisAndLabel()
	for i := 1; i < len(points); i++ {
		if p, q := points[i-1], points[i]; !math.IsNaN(p.y) && !math.IsNaN(q.y) {
			c.DrawBrailleLineWithStyle(canvas.Float64Point{X: p.x, Y: p.y}, canvas.Float64Point{X: q.x, Y: q.y}, lip(lineLook))
		}
	}
	a.draw(c.View())
	cells := places(&c, points)
	free := 0
	for i, p := range cells {
		if text := label(points[i].x); p.ok && p.x-textWidth(text)/2 >= free {
			free = labels.text(min(p.x-textWidth(text)/2, a.w-textWidth(text)), 0, m.theme.dim, text) + 2
		}
	}
	return cells
}

// A cellAt is where a point of a chart is.
type cellAt struct {
	x, y int
	ok   bool
}

// places finds the cells of points as the chart's braille grid does, two dots by
// four to a cell.
func places(c *linechart.Model, points []point) []cellAt {
	cells := make([]cellAt, len(points))
	w, h := c.GraphWidth(), c.GraphHeight()
	for i, p := range points {
		if math.IsNaN(p.y) {
			continue
		}
		x := math.Round(float64(2*w-1) * (p.x - c.ViewMinX()) / (c.ViewMaxX() - c.ViewMinX()))
		y := math.Round(float64(4*h-1) * (p.y - c.ViewMinY()) / (c.ViewMaxY() - c.ViewMinY()))
		cells[i] = cellAt{c.Origin().X + 1 + int(x)/2, h - 1 - int(y)/4, true}
	}
	return cells
}

// bounds returns the ranges of points; none has minX above maxX.
func bounds(points []point) (minX, maxX, minY, maxY float64) {
	minX, maxX, minY, maxY = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if !math.IsNaN(p.y) {
			minX, maxX = min(minX, p.x), max(maxX, p.x)
			minY, maxY = min(minY, p.y), max(maxY, p.y)
		}
	}
	if minX == maxX {
		minX, maxX = minX-1, maxX+1
	}
	if margin := 0.05*(maxY-minY) + 1e-9*math.Abs(maxY) + 1e-12; minY <= maxY {
		minY, maxY = max(minY-margin, 0), maxY+margin
	}
	return minX, maxX, minY, maxY
}

func lip(s style) lipgloss.Style {
	l := lipgloss.NewStyle().Bold(s.bold).Faint(s.faint)
	if s.fg != nil {
		l = l.Foreground(s.fg)
	}
	return l
}
