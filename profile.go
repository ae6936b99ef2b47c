package edgeshard

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// A Profile is what a device was measured to need for the units of a model. The
// same keys in TOML and JSON.
type Profile struct {
	Name       string `json:"name" toml:"name"`
	Provenance string `json:"provenance,omitempty" toml:"provenance"` // where, when and how it was measured
	Model      string `json:"model" toml:"model"`
	Units      int    `json:"units" toml:"units"` // of that model, Layers + 2
	// Hop is the software cost of one message between devices, on top of the link's latency.
	Hop time.Duration `json:"hop_ns,omitempty" toml:"hop_ns"`
	// Stage is what a pass costs a stage beyond its units, at the device's full
	// speed. Costs adds it to the messages into the device, so that the time of a
	// stage stays the sum of its units'.
	Stage    time.Duration    `json:"stage_ns,omitempty" toml:"stage_ns"`
	Overhead topologies.Bytes `json:"overhead,omitempty" toml:"overhead"` // of the runtime; replaces the device's where above 0
	Points   []Point          `json:"points" toml:"points"`
}

// A Point is one measurement: the time of each of the units [From, To) in a pass.
type Point struct {
	From   int     `json:"from" toml:"from"`
	To     int     `json:"to" toml:"to"`
	Batch  int     `json:"batch" toml:"batch"`
	Tokens int     `json:"tokens" toml:"tokens"`
	Past   int     `json:"past" toml:"past"`
	MS     float64 `json:"ms" toml:"ms"`
}

// Validate reports the first point that makes no sense, and the first unit that has none.
func (p *Profile) Validate() error {
	if p.Hop < 0 || p.Hop > time.Hour {
		return fmt.Errorf("profile %s: hop_ns is %d: want 0 to an hour", p.Name, p.Hop)
	}
	if p.Stage < 0 || p.Stage > time.Hour {
		return fmt.Errorf("profile %s: stage_ns is %d: want 0 to an hour", p.Name, p.Stage)
	}
	covered := make([]bool, min(max(p.Units, 0), 1<<16))
	for i, q := range p.Points {
		if q.From < 0 || q.To > len(covered) || q.From >= q.To {
			return fmt.Errorf("profile %s: points[%d]: units [%d, %d) are not within [0, %d)", p.Name, i, q.From, q.To, p.Units)
		}
		if q.Batch < 1 || q.Tokens < 1 || q.Past < 0 || !(q.MS >= 0 && q.MS < 1e9) {
			return fmt.Errorf("profile %s: points[%d]: want batch and tokens of 1 or more, past and ms of 0 or more, found %d, %d, %d, %g", p.Name, i, q.Batch, q.Tokens, q.Past, q.MS)
		}
		for u := q.From; u < q.To; u++ {
			covered[u] = true
		}
	}
	if u := slices.Index(covered, false); u >= 0 || len(covered) == 0 {
		return fmt.Errorf("profile %s: no point measures unit %d of %d", p.Name, max(u, 0), p.Units)
	}
	return nil
}

// timer returns the profile's times for a model; roof bounds what was not measured.
func (p *Profile) timer(m models.Config, roof *roofline) (unitTimer, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Units != m.Units() {
		return nil, fmt.Errorf("profile %s has the %d units of %s, the model %s has %d", p.Name, p.Units, p.Model, m.Name, m.Units())
	}
	t := &profileTimer{units: make([]unitTimes, p.Units), roof: roof}
	for _, q := range p.Points {
		for u := q.From; u < q.To; u++ {
			t.units[u].add(models.Pass{Batch: q.Batch, Tokens: q.Tokens, Past: q.Past}, q.MS/1e3)
		}
	}
	return t, nil
}

// profileTimer interpolates linearly: over the rows of a pass, and among points
// of equal rows over the positions a row attends to on average. Within the
// measured range it is exact at the points. Above the most rows measured the
// time per row stays, but is never below the roofline's compute time where the
// profile has a single number of rows (the authors' has one pass of one token,
// which is bound by memory and says nothing about more rows).
type profileTimer struct {
	units []unitTimes
	roof  *roofline
}

func (t *profileTimer) seconds(u int, p models.Pass) float64 {
	curves := t.units[u].curves
	rows, depth := float64(p.Rows()), attendedDepth(p)
	i, found := slices.BinarySearchFunc(curves, rows, func(c curve, r float64) int { return cmp.Compare(c.rows, r) })
	switch {
	case found:
		return curves[i].at(depth)
	case i == 0:
		return curves[0].at(depth)
	case i < len(curves):
		a, b := &curves[i-1], &curves[i]
		f := (rows - a.rows) / (b.rows - a.rows)
		return a.at(depth)*(1-f) + b.at(depth)*f
	case len(curves) == 1:
		return max(curves[0].at(depth), t.roof.computeSeconds(u, p))
	}
	last := &curves[len(curves)-1]
	return last.at(depth) * rows / last.rows
}

// attendedDepth is the mean number of positions a row of the pass attends to.
func attendedDepth(p models.Pass) float64 { return float64(p.Past) + float64(p.Tokens+1)/2 }

// unitTimes are a unit's measurements: curves over depth, ascending in rows.
type unitTimes struct{ curves []curve }

type curve struct {
	rows           float64
	depth, seconds []float64 // depth ascending
}

func (u *unitTimes) add(p models.Pass, seconds float64) {
	rows, depth := float64(p.Rows()), attendedDepth(p)
	i, found := slices.BinarySearchFunc(u.curves, rows, func(c curve, r float64) int { return cmp.Compare(c.rows, r) })
	if !found {
		u.curves = slices.Insert(u.curves, i, curve{rows: rows})
	}
	c := &u.curves[i]
	j, found := slices.BinarySearch(c.depth, depth)
	if found {
		c.seconds[j] = seconds // the later measurement replaces the earlier
		return
	}
	c.depth, c.seconds = slices.Insert(c.depth, j, depth), slices.Insert(c.seconds, j, seconds)
}

// at returns the time at a depth, constant beyond the ends.
func (c *curve) at(depth float64) float64 {
	i, found := slices.BinarySearch(c.depth, depth)
	switch {
	case found:
		return c.seconds[i]
	case i == 0:
		return c.seconds[0]
	case i == len(c.depth):
		return c.seconds[i-1]
	}
	f := (depth - c.depth[i-1]) / (c.depth[i] - c.depth[i-1])
	return c.seconds[i-1]*(1-f) + c.seconds[i]*f
}
