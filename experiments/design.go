package experiments

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// A Setting is one input of a point.
type Setting struct {
	Key    string
	Column string // its name in tables
	Value  any    // string, int64, float64 or bool, as the spec writes it
	Unit   string // appended to a number
}

// text is the value as a file would write it.
func (s Setting) text() string {
	switch v := s.Value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64) + s.Unit
	case int64:
		return strconv.FormatInt(v, 10) + s.Unit
	}
	return fmt.Sprint(s.Value)
}

// A Point is one run of an experiment.
type Point struct {
	Index    int       // in the order of the spec
	Repeat   int       // from 0
	Settings []Setting // of the axes, in their order
	Seed     uint64    // of all that is drawn, in repeats after the first 0
	chain    string    // points of one chain differ on the axis with Stop alone
}

// Points returns the points of the experiment in order, those its conditions keep.
func (s *Spec) Points() ([]Point, error) {
	keep, err := newFilter(s.Keep)
	if err != nil {
		return nil, fmt.Errorf("%s: keep: %w", s.File, err)
	}
	var points []Point
	var failed error
	s.draw(func(settings []Setting) bool {
		ok, err := keep.holds(s.columns(settings))
		if err != nil {
			failed = fmt.Errorf("%s: keep: %w", s.File, err)
			return false
		}
		for r := 0; ok && r < s.Repeats; r++ {
			points = append(points, Point{Index: len(points), Repeat: r, Settings: settings, Seed: s.seed(settings, r), chain: s.chain(settings, r)})
		}
		return true
	})
	if failed != nil {
		return nil, failed
	}
	if len(points) == 0 {
		return nil, fmt.Errorf("%s: keep leaves no point", s.File)
	}
	return points, nil
}

// columns are what conditions see: the base, and above it a point's settings by
// key and by name.
func (s *Spec) columns(settings []Setting) map[string]any {
	env := make(map[string]any, len(s.Base)+len(settings))
	for k, v := range s.Base {
		env[k] = v
	}
	for _, x := range settings {
		env[x.Key], env[x.Column] = x.Value, x.Value
	}
	return env
}

// draw yields the settings of each point until yield returns false.
func (s *Spec) draw(yield func([]Setting) bool) {
	if s.Design == Grid {
		s.grid(nil, 0, yield)
		return
	}
	rng := rand.New(rand.NewPCG(s.Seed, 0x65787065726d6e74))
	strata := make([][]int, len(s.Axes))
	for i := range s.Axes {
		strata[i] = rng.Perm(s.Samples)
	}
	for n := range s.Samples {
		var settings []Setting
		for i := range s.Axes {
			u := rng.Float64()
			if s.Design == LHS {
				u = (float64(strata[i][n]) + u) / float64(s.Samples)
			}
			settings = append(settings, s.Axes[i].at(u)...)
		}
		if !yield(settings) {
			return
		}
	}
}

// grid yields every combination, the last axis changing fastest.
func (s *Spec) grid(before []Setting, axis int, yield func([]Setting) bool) bool {
	if axis == len(s.Axes) {
		return yield(slices.Clone(before))
	}
	a := &s.Axes[axis]
	for i := range a.size() {
		if !s.grid(append(before, a.step(i)...), axis+1, yield) {
			return false
		}
	}
	return true
}

// step returns the i-th value of a grid.
func (a *Axis) step(i int) []Setting {
	if a.From == nil {
		return a.settings(a.Values[i])
	}
	return a.settings(a.between(float64(i) / float64(a.Steps-1)))
}

// at returns the value at a share u of the axis, 0 <= u < 1.
func (a *Axis) at(u float64) []Setting {
	if a.From == nil {
		return a.settings(a.Values[int(u*float64(len(a.Values)))])
	}
	return a.settings(a.between(u))
}

func (a *Axis) between(u float64) any {
	from, to := *a.From, *a.To
	x := from + u*(to-from)
	if a.Scale == "log" {
		x = from * math.Pow(to/from, u)
	}
	if a.Integer {
		return int64(math.Round(x))
	}
	// Nine digits: what logarithms leave beyond them is of no machine's like.
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 9, 64), 64)
	return x
}

func (a *Axis) settings(v any) []Setting {
	keys, names := a.keys(), a.names()
	row := []any{v}
	if len(a.Keys) > 0 {
		row = v.([]any)
	}
	list := make([]Setting, len(keys))
	for i := range keys {
		list[i] = Setting{Key: keys[i], Column: names[i], Value: row[i], Unit: a.Unit}
	}
	return list
}

// seed returns repeat r's seed. Common seeds make points comparable in pairs.
func (s *Spec) seed(settings []Setting, r int) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d/%d", s.Seed, r)
	if s.Seeds == independentSeeds {
		for _, x := range settings {
			_, _ = fmt.Fprintf(h, "/%s=%s", x.Key, x.text())
		}
	}
	return h.Sum64() >> 1 // fits the integers of TOML and Parquet
}

func (s *Spec) chain(settings []Setting, r int) string {
	i := slices.IndexFunc(s.Axes, func(a Axis) bool { return a.Stop })
	if i < 0 {
		return ""
	}
	id := strconv.Itoa(r)
	for _, x := range settings {
		if !slices.Contains(s.Axes[i].keys(), x.Key) {
			id += "/" + x.Key + "=" + x.text()
		}
	}
	return id
}

// chains groups the points that must run one after another.
func chains(points []Point) [][]Point {
	var groups [][]Point
	at := make(map[string]int)
	for _, p := range points {
		i, ok := at[p.chain]
		if p.chain == "" || !ok {
			at[p.chain] = len(groups)
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}
