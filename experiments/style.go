package experiments

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Pictures are of one size, for a column of a page or half a screen.
const (
	pictureWidth  = 15 * vg.Centimeter
	pictureHeight = 9 * vg.Centimeter
)

// palette is Okabe and Ito's, which stays apart for colour-blind eyes, but for its
// yellow, which is lost in print; series differ in dashes and glyphs too.
var palette = []color.NRGBA{
	{R: 0, G: 114, B: 178, A: 255}, {R: 213, G: 94, B: 0, A: 255}, {R: 0, G: 158, B: 115, A: 255},
	{R: 204, G: 121, B: 167, A: 255}, {R: 230, G: 159, B: 0, A: 255}, {R: 86, G: 180, B: 233, A: 255},
	{R: 60, G: 60, B: 60, A: 255},
}

// manyColours, for more series than the palette has, is Tol's muted scheme, made
// for colour-blind eyes too, with a grey.
var manyColours = []color.NRGBA{
	{R: 51, G: 34, B: 136, A: 255}, {R: 204, G: 102, B: 119, A: 255}, {R: 221, G: 204, B: 119, A: 255},
	{R: 17, G: 119, B: 51, A: 255}, {R: 136, G: 204, B: 238, A: 255}, {R: 136, G: 34, B: 85, A: 255},
	{R: 68, G: 170, B: 153, A: 255}, {R: 153, G: 153, B: 51, A: 255}, {R: 170, G: 68, B: 153, A: 255},
	{R: 130, G: 130, B: 130, A: 255},
}

var dashes = [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}, {4, 4}, {10, 4}, {1, 3}}

var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{}, draw.PyramidGlyph{},
}

// A look is how one of several series is drawn.
type look struct{ index, of int }

func (l look) colours() []color.NRGBA {
	if l.of > len(palette) {
		return manyColours
	}
	return palette
}

func (l look) colour() color.NRGBA { return l.colours()[l.index%len(l.colours())] }

// dash and glyph move on with each round of the colours, so that no two of many
// series are drawn alike.
func (l look) round() int              { return l.index + l.index/len(l.colours()) }
func (l look) dash() []vg.Length       { return dashes[l.round()%len(dashes)] }
func (l look) glyph() draw.GlyphDrawer { return glyphs[l.round()%len(glyphs)] }

// faint is a colour for what lies behind.
func faint(c color.NRGBA) color.NRGBA {
	c.A = 60
	return c
}

var (
	inkColour  = color.NRGBA{R: 40, G: 40, B: 40, A: 255}
	gridColour = color.NRGBA{R: 225, G: 225, B: 225, A: 255}
	fonts      = font.NewCache(liberation.Collection())
)

// newCanvas returns an empty plot in the style of all.
func newCanvas(s *Plot) *plot.Plot {
	p := plot.New()
	p.TextHandler = text.Plain{Fonts: fonts}
	sans := func(size float64) font.Font {
		return font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(size)}
	}
	p.Title.TextStyle.Font, p.Title.TextStyle.Color = sans(11), inkColour
	p.Title.TextStyle.Handler = p.TextHandler
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Tick.Label.Font = sans(10), sans(9)
		a.Label.TextStyle.Color, a.Tick.Label.Color = inkColour, inkColour
		a.LineStyle.Color, a.Tick.LineStyle.Color = inkColour, inkColour
		a.LineStyle.Width, a.Tick.LineStyle.Width = 0.7, 0.7
		a.Tick.Length, a.Padding, a.Label.Padding = 4, 4, 3
	}
	p.X.Label.Text, p.Y.Label.Text = label(s.XLabel, s.X), label(s.YLabel, s.Y)
	p.Legend.TextStyle.Font, p.Legend.TextStyle.Color = sans(9), inkColour
	p.Legend.Top, p.Legend.Left, p.Legend.Padding, p.Legend.ThumbnailWidth = true, true, 2, 22
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Transparent, gridColour
	p.Add(grid)
	return p
}

func label(given, column string) string {
	if given != "" {
		return given
	}
	return column
}

// plainTicks are some five ticks at round numbers.
type plainTicks struct{}

func (plainTicks) Ticks(low, high float64) []plot.Tick {
	const wanted = 6
	step := math.Pow(10, math.Floor(math.Log10((high-low)/wanted)))
	for _, m := range []float64{1, 2, 5, 10} {
		if step*m >= (high-low)/wanted {
			step *= m
			break
		}
	}
	var ticks []plot.Tick
	for n := int(math.Ceil(low/step - 1e-9)); float64(n) <= high/step+1e-9; n++ {
		v := float64(n) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(round(v), 'g', -1, 64)})
	}
	return ticks
}

// logTicks are 1, 2 and 5 of each order of magnitude.
type logTicks struct{}

func (logTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < low*0.999 || v > high*1.001 {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || m == 2 || m == 5 {
				t.Label = strconv.FormatFloat(round(v), 'g', -1, 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// round cuts a number to ten digits.
func round(x float64) float64 {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 10, 64), 64)
	return x
}

// scales sets the axes' scales; they must have been given their range before.
func scales(p *plot.Plot, logX, logY bool) {
	for _, a := range []struct {
		axis *plot.Axis
		log  bool
	}{{&p.X, logX}, {&p.Y, logY}} {
		if a.log {
			a.axis.Scale, a.axis.Tick.Marker = plot.LogScale{}, logTicks{}
		} else if _, named := a.axis.Tick.Marker.(plot.ConstantTicks); !named {
			a.axis.Tick.Marker = plainTicks{}
		}
	}
}

// addLegend names a series; one without a name is the only one and needs none.
func addLegend(c *plot.Plot, name string, thumbs ...plot.Thumbnailer) {
	if name != "" {
		c.Legend.Add(name, thumbs...)
	}
}
