package experiments

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// MaxPoints is the most points an experiment may have.
const MaxPoints = 1_000_000

// A Design is how points are drawn from the axes.
type Design string

const (
	Grid   Design = "grid"   // every combination; the default
	Random Design = "random" // Samples points, each axis drawn on its own
	LHS    Design = "lhs"    // Samples points, each axis cut into as many strata, each used once
)

// A Spec is what an experiment file says.
type Spec struct {
	Name     string   `toml:"name"`
	Question string   `toml:"question"`
	Design   Design   `toml:"design"`
	Samples  int      `toml:"samples"` // of random and lhs designs
	Seed     uint64   `toml:"seed"`    // of drawn points, and of repeats
	Repeats  int      `toml:"repeats"` // runs of each point, each with its own seed; 1 if not given
	Warmup   int      `toml:"warmup"`  // runs before them that do not count, on real workers
	Seeds    string   `toml:"seeds"`   // common (the default): repeat r has the same seed at all points; or independent
	Keep     []string `toml:"keep"`    // conditions on a point's columns; points that fail one are left out

	Base  tree   `toml:"base"` // settings of every point
	Axes  []Axis `toml:"axis"`
	Small *Small `toml:"small"` // a version that runs in seconds

	Scenarios map[string]tree `toml:"scenario"` // by the names that the setting "scenario" uses

	Plots     []Plot      `toml:"plot"`
	Compare   []Pairing   `toml:"compare"`
	Published []Published `toml:"published"`
	Tolerance float64     `toml:"tolerance"` // error within which a published figure counts as reproduced; 0.1 if not given

	File string `toml:"-"` // where it was read
}

// An Axis is a setting, or several that change together, and their values.
type Axis struct {
	Key    string   `toml:"key"`
	Keys   []string `toml:"keys"`  // several settings; then each of Values is an array
	Name   string   `toml:"name"`  // its column in tables; the key if not given
	Names  []string `toml:"names"` // likewise, of several
	Values []any    `toml:"values"`
	Unit   string   `toml:"unit"` // of numbers: 5 with "Mbps" is the setting "5Mbps"

	// In place of Values: Steps values from From to To, or in random and lhs
	// designs any between them.
	From    *float64 `toml:"from"`
	To      *float64 `toml:"to"`
	Steps   int      `toml:"steps"`
	Scale   string   `toml:"scale"` // linear (the default) or log
	Integer bool     `toml:"integer"`

	// Stop leaves out the values after the first for which there is no plan, all
	// else equal.
	Stop bool `toml:"stop"`
}

// Small replaces parts of a spec.
type Small struct {
	Samples int              `toml:"samples"`
	Repeats int              `toml:"repeats"`
	Values  map[string][]any `toml:"values"` // of axes, by their first key
	Base    tree             `toml:"base"`
}

// A tree is a table of whatever keys.
type tree map[string]any

// UnmarshalTOML takes the table as it is.
func (t *tree) UnmarshalTOML(v any) error {
	values, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("want a table, found %v", v)
	}
	*t = values
	return nil
}

// ParseSpec reads an experiment. Its error names the file and the line or key.
func ParseSpec(file string, data []byte) (*Spec, error) {
	s := &Spec{File: file, Design: Grid, Repeats: 1, Seeds: commonSeeds, Tolerance: 0.1}
	if err := tomlfile.Decode(file, data, s); err != nil {
		return nil, err
	}
	if s.Name == "" {
		s.Name = filepath.Base(filepath.Dir(file))
	}
	s.Base = flatten(s.Base)
	if s.Small != nil {
		s.Small.Base = flatten(s.Small.Base)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

const (
	commonSeeds      = "common"
	independentSeeds = "independent"
)

func (s *Spec) check() error {
	switch {
	case s.Design != Grid && s.Design != Random && s.Design != LHS:
		return fmt.Errorf("design is %q: want %s, %s or %s", s.Design, Grid, Random, LHS)
	case s.Design != Grid && (s.Samples < 1 || s.Samples > MaxPoints):
		return fmt.Errorf("samples is %d: a %s design wants 1 to %d", s.Samples, s.Design, MaxPoints)
	case s.Repeats < 1 || s.Repeats > MaxPoints:
		return fmt.Errorf("repeats is %d: want 1 to %d", s.Repeats, MaxPoints)
	case s.Warmup < 0 || s.Warmup > 1000:
		return fmt.Errorf("warmup is %d: want 0 to 1000", s.Warmup)
	case s.Seeds != commonSeeds && s.Seeds != independentSeeds:
		return fmt.Errorf("seeds is %q: want %s or %s", s.Seeds, commonSeeds, independentSeeds)
	case !(s.Tolerance > 0 && s.Tolerance < 1):
		return fmt.Errorf("tolerance is %g: want between 0 and 1", s.Tolerance)
	}
	for k := range s.Base {
		if err := knownKey(k); err != nil {
			return fmt.Errorf("base: %w", err)
		}
	}
	if err := s.checkSmall(); err != nil {
		return err
	}
	if err := s.checkAnalysis(); err != nil {
		return err
	}
	return s.checkAxes()
}

func (s *Spec) checkSmall() error {
	if s.Small == nil {
		return nil
	}
	for k := range s.Small.Base {
		if err := knownKey(k); err != nil {
			return fmt.Errorf("small.base: %w", err)
		}
	}
	for k, values := range s.Small.Values {
		i := slices.IndexFunc(s.Axes, func(a Axis) bool { return slices.Contains(a.keys()[:1], k) })
		if i < 0 {
			return fmt.Errorf("small.values: no axis has the first key %s", k)
		}
		if len(values) == 0 {
			return fmt.Errorf("small.values: %s has no value", k)
		}
	}
	return nil
}

func (s *Spec) checkAxes() error {
	seen := make(map[string]bool)
	stops := 0
	for i := range s.Axes {
		a := &s.Axes[i]
		if err := a.check(s.Design); err != nil {
			return fmt.Errorf("axis %d (%s): %w", i+1, strings.Join(a.keys(), ", "), err)
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(a.names()), a.keys()...)))) {
			if seen[name] {
				return fmt.Errorf("axis %d: two axes are called %s", i+1, name)
			}
			seen[name] = true
		}
		for _, name := range a.names() {
			if slices.Contains(fixedColumns, name) || slices.Contains(figureNames(), name) {
				return fmt.Errorf("axis %d: %s is a column of its own: give the axis another name", i+1, name)
			}
		}
		if a.Stop {
			stops++
		}
	}
	if stops > 1 || stops == 1 && s.Design != Grid {
		return fmt.Errorf("stop is for one axis of a grid")
	}
	return s.checkSize()
}

// checkSize multiplies the axes before anybody draws them.
func (s *Spec) checkSize() error {
	n := float64(s.Repeats)
	if s.Design != Grid {
		n *= float64(s.Samples)
	} else {
		for i := range s.Axes {
			n *= float64(s.Axes[i].size())
		}
	}
	if n > MaxPoints {
		return fmt.Errorf("the axes make %.4g points: want at most %d", n, MaxPoints)
	}
	return nil
}

func scalar(v any) bool {
	switch v.(type) {
	case string, int64, float64, bool:
		return true
	}
	return false
}

func every(values []any, ok func(any) bool) bool {
	return !slices.ContainsFunc(values, func(v any) bool { return !ok(v) })
}

// flatten turns nested tables into dotted keys.
func flatten(table map[string]any) map[string]any {
	flat := make(map[string]any)
	for k, v := range table {
		nested, ok := v.(map[string]any)
		if !ok {
			flat[k] = v
			continue
		}
		for rest, x := range flatten(nested) {
			flat[k+"."+rest] = x
		}
	}
	return flat
}

// Shrunk returns the small version of the experiment, or itself where it has none.
func (s *Spec) Shrunk() (*Spec, error) {
	if s.Small == nil {
		return s, nil
	}
	c := *s
	c.Axes = slices.Clone(s.Axes)
	if s.Small.Samples > 0 {
		c.Samples = s.Small.Samples
	}
	if s.Small.Repeats > 0 {
		c.Repeats = s.Small.Repeats
	}
	for i := range c.Axes {
		if v, ok := s.Small.Values[c.Axes[i].keys()[0]]; ok {
			c.Axes[i].Values, c.Axes[i].From, c.Axes[i].To = v, nil, nil
		}
	}
	c.Base = make(tree)
	for _, m := range []tree{s.Base, s.Small.Base} {
		for k, v := range m {
			c.Base[k] = v
		}
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: small: %w", s.File, err)
	}
	return &c, nil
}
