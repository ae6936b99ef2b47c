package sample_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/edgeshard/edgeshard/internal/sample"
)

func TestMean(t *testing.T) {
	for _, c := range []struct {
		values       []float64
		mean, median float64
	}{
		{nil, 0, 0},
		{[]float64{3}, 3, 3},
		{[]float64{4, 2}, 3, 3},
		{[]float64{2, 1, 3, 100}, (1 + 2 + 3 + 5) / 4.0, 2.5},
	} {
		before := slices.Clone(c.values)
		if mean, median := sample.Mean(c.values), sample.Median(c.values); mean != c.mean || median != c.median || !slices.Equal(before, c.values) {
			t.Errorf("%v: mean %g, median %g: want %g and %g", before, mean, median, c.mean, c.median)
		}
	}
}

// A succession says how values of successive visits come about.
type succession struct {
	name                  string
	visits, each          int
	between, walk, within float64 // deviations: of a visit, of a step to the next, of a value
	ahead                 float64 // steps from the last visit to the further value
	least, most           float64 // share of the further values that are to be held
}

var successions = []succession{
	{"comes and goes", 8, 3, 0.08, 0, 0.03, 1, 0.88, 0.98},
	{"mostly noise", 8, 3, 0.02, 0, 0.06, 1, 0.88, 0.98},
	{"walks", 8, 3, 0, 0.04, 0.02, 3, 0.78, 0.95},
	{"walks, much later", 8, 3, 0, 0.04, 0.02, 7, 0.75, 0.95},
	{"both", 12, 3, 0.05, 0.02, 0.03, 6, 0.88, 0.98},
	{"few visits", 4, 2, 0.08, 0, 0.03, 1, 0.88, 0.98},
	{"one value a visit", 8, 1, 0.05, 0.02, 0.03, 3, 0.88, 0.98},
}

// draw returns the values of visits 100 apart, all of them, and a further value.
func (c *succession) draw(rng *rand.Rand) (visits []sample.Visit, all []float64, next float64) {
	state := 0.0
	value := func(stay float64) float64 { return state + stay + c.within*rng.NormFloat64() }
	for i := range c.visits {
		v, stay := sample.Visit{At: 100 * float64(i)}, c.between*rng.NormFloat64()
		for range c.each {
			v.Values = append(v.Values, value(stay))
		}
		visits, all = append(visits, v), append(all, v.Values...)
		state += c.walk * rng.NormFloat64()
	}
	state += c.walk * math.Sqrt(c.ahead-1) * rng.NormFloat64()
	return visits, all, value(c.between * rng.NormFloat64())
}

// TestOfNext: of values that come some time after several visits, about nine in ten
// lie where what the visits showed says that nine in ten do: some more where the
// machine comes and goes, some fewer where it does nothing but walk away. The spread
// of all values, taken for independent, holds far fewer.
func TestOfNext(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range successions {
		held, naive := 0, 0
		const times = 400
		for range times {
			visits, all, next := c.draw(rng)
			mean, _ := sample.Moments(all)
			deviation, n := sample.OfNext(visits, 100*(float64(c.visits-1)+c.ahead))
			if math.Abs(next-mean) < deviation*math.Sqrt(1+1/float64(n))*quantile(n-1, rng) {
				held++
			}
			if math.Abs(next-mean) < 1.645*sample.Deviation(all) {
				naive++
			}
		}
		share := float64(held) / times
		t.Logf("%s: %.1f %% of the next values within (as independent values: %.1f %%)", c.name, 100*share, 100*float64(naive)/times)
		if share < c.least || share > c.most {
			t.Errorf("%s: %.1f %%, want %g to %g", c.name, 100*share, 100*c.least, 100*c.most)
		}
	}
}

// TestOfNextLater: the further value may lie further off the later it is, until as
// long after the visits as they took.
func TestOfNextLater(t *testing.T) {
	visits := []sample.Visit{{At: 0, Values: []float64{1}}, {At: 100, Values: []float64{1.1}}, {At: 200, Values: []float64{1.3}}, {At: 300, Values: []float64{1.4}}}
	last := 0.0
	for _, at := range []float64{300, 400, 500, 600} {
		d, n := sample.OfNext(visits, at)
		if d *= math.Sqrt(1 + 1/float64(n)); d <= last {
			t.Errorf("%g at %g, %g before", d, at, last)
		}
		last = d
	}
	if a, _ := sample.OfNext(visits, 600); func() float64 { b, _ := sample.OfNext(visits, math.Inf(1)); return b }() != a {
		t.Error("long after, it is not as after as long as the visits took")
	}
}

func TestTogether(t *testing.T) {
	one := func(values ...float64) (visits []sample.Visit) {
		for i, v := range values {
			visits = append(visits, sample.Visit{At: float64(i), Values: []float64{v - 1, v + 1}})
		}
		return visits
	}
	for _, c := range []struct {
		a, b []sample.Visit
		want float64
	}{
		{one(1, 2, 3), one(2, 4, 6), 1},
		{one(1, 2, 3), one(3, 2, 1), -1},
		{one(1, 2, 3, 4), one(1, -1, -1, 1), 0},
		{one(1, 2, 3), one(4, 4, 4), 0},
		{one(1, 2), one(1, 2), 0},
	} {
		if got := sample.Together(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v and %v: %g, want %g", c.a, c.b, got, c.want)
		}
	}
}

var quantiles = map[int]float64{}

// quantile returns the 95th percentile of Student's distribution, by drawing.
func quantile(degrees int, rng *rand.Rand) float64 {
	if q, ok := quantiles[degrees]; ok {
		return q
	}
	draws := make([]float64, 20000)
	for i := range draws {
		squares := 0.0
		for range degrees {
			x := rng.NormFloat64()
			squares += x * x
		}
		draws[i] = rng.NormFloat64() / math.Sqrt(squares/float64(degrees))
	}
	slices.Sort(draws)
	quantiles[degrees] = draws[len(draws)*95/100]
	return quantiles[degrees]
}

func TestOfNextOfLittle(t *testing.T) {
	for _, c := range []struct {
		visits []sample.Visit
		want   float64
		n      int
	}{
		{nil, 0, 0},
		{[]sample.Visit{{Values: []float64{1}}}, 0, 1},
		{[]sample.Visit{{Values: []float64{1, 3}}}, math.Sqrt2, 2},
		{[]sample.Visit{{Values: []float64{1}}, {At: 1, Values: []float64{1}}}, 0, 2},
		{[]sample.Visit{{Values: []float64{1}}, {Values: []float64{3}}}, math.Sqrt2, 2}, // at the same time
	} {
		if got, n := sample.OfNext(c.visits, 2); math.Abs(got-c.want) > 1e-12 || n != c.n {
			t.Errorf("%v: %g of %d, want %g of %d", c.visits, got, n, c.want, c.n)
		}
	}
}
