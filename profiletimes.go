package edgeshard

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard/models"
)

// timer returns the profile's times for a model; roof bounds what was not measured.
func (p *Profile) timer(m models.Config, roof *roofline) (unitTimer, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Units != m.Units() {
		return nil, fmt.Errorf("profile %s has the %d units of %s, the model %s has %d", p.Name, p.Units, p.Model, m.Name, m.Units())
	}
	t := &profileTimer{units: p.times(), roof: roof}
	return t, nil
}

// times sorts the points by unit. Units that all points treat alike share theirs.
func (p *Profile) times() []*unitTimes {
	units := make([]*unitTimes, p.Units)
	shared := make(map[string]*unitTimes)
	for u := range units {
		var key []byte
		for i, q := range p.Points {
			if q.From <= u && u < q.To {
				key = fmt.Append(key, i, " ")
			}
		}
		if shared[string(key)] == nil {
			shared[string(key)] = newUnitTimes(p.Points, u)
		}
		units[u] = shared[string(key)]
	}
	return units
}

// profileTimer interpolates a unit's time linearly: in the batch, in the tokens
// of a sequence and in the positions before them, where the pass lies within
// what was measured. The times of a unit never fall as one of the three grows.
//
// A pass that lies outside takes the time of others of as many rows (batch ×
// tokens), by the positions that a row attends to on average. Above the most
// rows measured the time per row stays, but is never below the roofline's
// compute time where the profile has a single number of rows (the authors' has
// one pass of one token, which is bound by memory and says nothing about more
// rows). Profile.Beyond tells of such passes.
type profileTimer struct {
	units []*unitTimes
	roof  *roofline
}

func (t *profileTimer) seconds(u int, p models.Pass) float64 {
	unit := t.units[u]
	if s, ok := unit.within(p); ok {
		return s
	}
	curves := unit.byRows
	rows, depth := float64(p.Rows()), attendedDepth(p)
	i, found := slices.BinarySearchFunc(curves, rows, func(c rowCurve, r float64) int { return cmp.Compare(c.rows, r) })
	switch {
	case found:
		return curves[i].at(depth)
	case i == 0:
		return curves[0].at(depth)
	case i < len(curves):
		a, b := &curves[i-1], &curves[i]
		return mix(a.at(depth), b.at(depth), (rows-a.rows)/(b.rows-a.rows))
	case len(curves) == 1:
		return max(curves[0].at(depth), t.roof.computeSeconds(u, p))
	}
	last := &curves[len(curves)-1]
	return last.at(depth) * rows / last.rows
}

func mix(a, b, f float64) float64 { return a*(1-f) + b*f }

// attendedDepth is the mean number of positions a row of the pass attends to.
func attendedDepth(p models.Pass) float64 { return float64(p.Past) + float64(p.Tokens+1)/2 }

// unitTimes are a unit's measurements: by the shape of the pass, and by its rows.
type unitTimes struct {
	batches []batchTimes // ascending
	byRows  []rowCurve   // ascending
}

// batchTimes are the measurements of one batch, ascending in tokens.
type batchTimes struct {
	batch  int
	tokens []tokenCurve
}

// A tokenCurve is the time over the positions before the tokens.
type tokenCurve struct {
	tokens int
	curve
}

// A rowCurve is the time over the positions a row attends to.
type rowCurve struct {
	rows float64
	curve
}

func newUnitTimes(points []Point, u int) *unitTimes {
	t := &unitTimes{}
	for _, q := range points {
		if q.From <= u && u < q.To {
			t.add(models.Pass{Batch: q.Batch, Tokens: q.Tokens, Past: q.Past}, q.MS/1e3)
		}
	}
	t.ascend()
	return t
}

func (t *unitTimes) add(p models.Pass, seconds float64) {
	i, found := slices.BinarySearchFunc(t.batches, p.Batch, func(b batchTimes, n int) int { return cmp.Compare(b.batch, n) })
	if !found {
		t.batches = slices.Insert(t.batches, i, batchTimes{batch: p.Batch})
	}
	b := &t.batches[i]
	i, found = slices.BinarySearchFunc(b.tokens, p.Tokens, func(c tokenCurve, n int) int { return cmp.Compare(c.tokens, n) })
	if !found {
		b.tokens = slices.Insert(b.tokens, i, tokenCurve{tokens: p.Tokens})
	}
	b.tokens[i].add(float64(p.Past), seconds)
	rows := float64(p.Rows())
	i, found = slices.BinarySearchFunc(t.byRows, rows, func(c rowCurve, r float64) int { return cmp.Compare(c.rows, r) })
	if !found {
		t.byRows = slices.Insert(t.byRows, i, rowCurve{rows: rows})
	}
	t.byRows[i].add(attendedDepth(p), seconds)
}

// ascend takes out of the grid what noise has put in the wrong order: over the
// past by the nearest monotone curve, over tokens and batches by raising the
// larger pass to the smaller one.
func (t *unitTimes) ascend() {
	for i := range t.batches {
		b := &t.batches[i]
		for k := range b.tokens {
			b.tokens[k].ascend()
			if k > 0 {
				b.tokens[k].raise(&b.tokens[k-1].curve)
			}
			if i > 0 {
				if below := t.batches[i-1].find(b.tokens[k].tokens); below != nil {
					b.tokens[k].raise(below)
				}
			}
		}
	}
}

func (b *batchTimes) find(tokens int) *curve {
	for k := range b.tokens {
		if b.tokens[k].tokens == tokens {
			return &b.tokens[k].curve
		}
	}
	return nil
}

// within returns the time of a pass whose batch and tokens lie within the grid.
func (t *unitTimes) within(p models.Pass) (seconds float64, ok bool) {
	i, found := slices.BinarySearchFunc(t.batches, p.Batch, func(b batchTimes, n int) int { return cmp.Compare(b.batch, n) })
	if found {
		return t.batches[i].within(p)
	}
	if i == 0 || i == len(t.batches) {
		return 0, false
	}
	a, b := &t.batches[i-1], &t.batches[i]
	low, okLow := a.within(p)
	high, okHigh := b.within(p)
	return mix(low, high, float64(p.Batch-a.batch)/float64(b.batch-a.batch)), okLow && okHigh
}

func (b *batchTimes) within(p models.Pass) (seconds float64, ok bool) {
	past := float64(p.Past)
	i, found := slices.BinarySearchFunc(b.tokens, p.Tokens, func(c tokenCurve, n int) int { return cmp.Compare(c.tokens, n) })
	if found {
		return b.tokens[i].at(past), true
	}
	if i == 0 || i == len(b.tokens) {
		return 0, false
	}
	low, high := &b.tokens[i-1], &b.tokens[i]
	return mix(low.at(past), high.at(past), float64(p.Tokens-low.tokens)/float64(high.tokens-low.tokens)), true
}

// A curve is a time over something that grows, x ascending.
type curve struct{ x, seconds []float64 }

// add inserts a point; a later one at the same place replaces the earlier.
func (c *curve) add(x, seconds float64) {
	i, found := slices.BinarySearch(c.x, x)
	if found {
		c.seconds[i] = seconds
		return
	}
	c.x, c.seconds = slices.Insert(c.x, i, x), slices.Insert(c.seconds, i, seconds)
}

// at returns the time at x: that of the first point before it, and after the
// last one growing as it has from the first to the last.
func (c *curve) at(x float64) float64 {
	n := len(c.x)
	i, found := slices.BinarySearch(c.x, x)
	switch {
	case found:
		return c.seconds[i]
	case i == 0:
		return c.seconds[0]
	case i == n:
		slope := 0.0
		if n > 1 {
			slope = max(0, (c.seconds[n-1]-c.seconds[0])/(c.x[n-1]-c.x[0]))
		}
		return c.seconds[n-1] + slope*(x-c.x[n-1])
	}
	return mix(c.seconds[i-1], c.seconds[i], (x-c.x[i-1])/(c.x[i]-c.x[i-1]))
}

// ascend replaces the times by the nearest ones, in squares, that do not fall:
// neighbours in the wrong order are pooled (Barlow, Bartholomew, Bremner and
// Brunk, Statistical Inference under Order Restrictions, 1972).
func (c *curve) ascend() {
	type pool struct {
		mean float64
		n    int
	}
	var pools []pool
	for _, s := range c.seconds {
		pools = append(pools, pool{s, 1})
		for k := len(pools) - 1; k > 0 && pools[k].mean < pools[k-1].mean; k-- {
			a, b := pools[k-1], pools[k]
			pools = append(pools[:k-1], pool{(a.mean*float64(a.n) + b.mean*float64(b.n)) / float64(a.n+b.n), a.n + b.n})
		}
	}
	i := 0
	for _, p := range pools {
		for range p.n {
			c.seconds[i] = p.mean
			i++
		}
	}
}

// raise lifts the curve to where it is nowhere below another at its own points.
func (c *curve) raise(below *curve) {
	for i, x := range c.x {
		c.seconds[i] = max(c.seconds[i], below.at(x))
	}
}
