package experiments

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Plot says what to draw of a table.
type Plot struct {
	File  string `toml:"file"` // .svg or .png, beside the results
	Kind  string `toml:"kind"`
	Title string `toml:"title"`

	X       string   `toml:"x"`       // column across; of a bar chart its groups
	Y       string   `toml:"y"`       // column upwards
	Z       string   `toml:"z"`       // of a heat map, the column of its colours
	Series  string   `toml:"series"`  // column whose values are drawn apart
	Where   []string `toml:"where"`   // conditions on rows, as in keep
	XLabel  string   `toml:"x_label"` // the column if not given
	YLabel  string   `toml:"y_label"`
	LogX    bool     `toml:"log_x"`
	LogY    bool     `toml:"log_y"`
	Largest bool     `toml:"largest"` // of a Pareto front: the largest y is best, not the smallest
}

// agreement is the kind of plot that draws ours against published.
const agreement = "agreement"

// PlotKinds are what can be drawn. Lines and bars have means, with bands or
// whiskers of 95 % confidence where a point has several rows.
var PlotKinds = []string{"line", "bar", "heat", "cdf", "scatter", "pareto", agreement}

func (p *Plot) check() error {
	if !slices.Contains(PlotKinds, p.Kind) {
		return fmt.Errorf("kind is %q: want one of %s", p.Kind, strings.Join(PlotKinds, ", "))
	}
	if e := filepath.Ext(p.File); e != ".svg" && e != ".png" {
		return fmt.Errorf("file is %q: want one ending in .svg or .png", p.File)
	}
	if p.Kind == agreement {
		p.X, p.Y = "published", "ours"
	}
	switch {
	case p.X == "":
		return fmt.Errorf("x: want a column")
	case p.Y == "" && p.Kind != "cdf":
		return fmt.Errorf("y: want a column")
	case (p.Z == "") == (p.Kind == "heat"):
		return fmt.Errorf("z: a heat map, and no other kind, wants a column")
	}
	_, err := newFilter(p.Where)
	return err
}

// A Pairing compares two values of a column, all other settings equal.
type Pairing struct {
	Column string   `toml:"column"` // whose values are compared, such as solver
	A      string   `toml:"a"`
	B      string   `toml:"b"`
	Figure string   `toml:"figure"` // what is compared
	Where  []string `toml:"where"`  // conditions on rows, as in keep
}

func (p *Pairing) check() error {
	if p.Column == "" || p.Figure == "" || p.A == p.B {
		return fmt.Errorf("want column, figure and two different values, a and b")
	}
	_, err := newFilter(p.Where)
	return err
}

// Published is a figure that others published, and where it stands in a table.
type Published struct {
	Where  map[string]any `toml:"where"`  // columns and their values
	Figure string         `toml:"figure"` // the column compared
	Value  any            `toml:"value"`  // a number, or "OOM" where nothing ran; nil where nobody published one
	Fitted bool           `toml:"fitted"` // the inputs were chosen so that it comes out
	// Inconsistent says why the figure cannot be had from what is in print.
	Inconsistent string `toml:"inconsistent"`
	Note         string `toml:"note"` // what a reader should know of it otherwise
	// Family is of figures whose inputs were chosen by those of them that are
	// fitted; Source is where the figure was published.
	Family string `toml:"family"`
	Source string `toml:"source"`
}

func (p *Published) check() error {
	switch v := p.Value.(type) {
	case nil, float64, int64:
	case string:
		if v != outOfMemory {
			return fmt.Errorf("value is %q: want a number or %q", v, outOfMemory)
		}
	default:
		return fmt.Errorf("value: want a number or %q", outOfMemory)
	}
	if p.Figure == "" || len(p.Where) == 0 {
		return fmt.Errorf("want where and figure")
	}
	return nil
}

const outOfMemory = "OOM"

// checkColumns reports the first column that is to be drawn, compared or judged and
// that results will not have.
func (s *Spec) checkColumns() error {
	base, axes := s.settingColumns()
	t := &Table{Columns: slices.Concat(fixedColumns, base, axes, figureNames())}
	have := func(what string, i int, names ...string) error {
		for _, name := range names {
			if _, err := t.Column(name); name != "" && err != nil {
				return fmt.Errorf("%s %d: %w", what, i+1, err)
			}
		}
		return nil
	}
	var all []error
	for i, p := range s.Plots {
		if p.Kind != agreement { // which is of what was published
			all = append(all, have("plot", i, p.X, p.Y, p.Z, p.Series))
		}
	}
	for i, c := range s.Compare {
		all = append(all, have("compare", i, c.Column, c.Figure))
	}
	for i, p := range s.Published {
		all = append(all, have("published", i, append(sortedKeys(p.Where), p.Figure)...))
	}
	return cmp.Or(all...)
}

// checkAnalysis reports the first mistake in what is to be made of the results.
func (s *Spec) checkAnalysis() error {
	for i := range s.Plots {
		if err := s.Plots[i].check(); err != nil {
			return fmt.Errorf("plot %d: %w", i+1, err)
		}
	}
	for i := range s.Compare {
		if err := s.Compare[i].check(); err != nil {
			return fmt.Errorf("compare %d: %w", i+1, err)
		}
	}
	for i := range s.Published {
		if err := s.Published[i].check(); err != nil {
			return fmt.Errorf("published %d: %w", i+1, err)
		}
	}
	return nil
}
