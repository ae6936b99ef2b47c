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

// TestOfNext: of values that come after several visits, nine in ten lie where what
// the visits showed says that nine in ten do, whether successive visits are alike
// or not. The spread of all values, taken for independent, holds far fewer.
func TestOfNext(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name                   string
		visits, each           int
		between, within, alike float64
		least, most            float64
	}{
		{"drift", 8, 3, 0.08, 0.03, 0, 0.87, 0.95},
		{"mostly noise", 8, 3, 0.02, 0.06, 0, 0.86, 0.95},
		{"slow drift", 10, 3, 0.08, 0.03, 0.5, 0.82, 0.95},
		{"few visits", 4, 2, 0.08, 0.03, 0, 0.86, 0.97},
		{"one value a visit", 8, 1, 0.08, 0.03, 0, 0.86, 0.95},
	} {
		held, naive := 0, 0
		const times = 4000
		for range times {
			state := rng.NormFloat64()
			var visits [][]float64
			var all []float64
			for range c.visits {
				state = c.alike*state + math.Sqrt(1-c.alike*c.alike)*rng.NormFloat64()
				var v []float64
				for range c.each {
					v = append(v, c.between*state+c.within*rng.NormFloat64())
				}
				visits, all = append(visits, v), append(all, v...)
			}
			next := c.between*rng.NormFloat64() + c.within*rng.NormFloat64()
			mean := 0.0
			for _, v := range all {
				mean += v / float64(len(all))
			}
			deviation, n := sample.OfNext(visits)
			if math.Abs(next-mean) < deviation*math.Sqrt(1+1/float64(n))*quantile(n-1, rng) {
				held++
			}
			if math.Abs(next-mean) < 1.645*sample.Deviation(all) {
				naive++
			}
		}
		if share := float64(held) / times; share < c.least || share > c.most {
			t.Errorf("%s: %.1f %% of the next values within (as independent values: %.1f %%)", c.name, 100*share, 100*float64(naive)/times)
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
		visits [][]float64
		want   float64
		n      int
	}{
		{nil, 0, 0},
		{[][]float64{{1}}, 0, 1},
		{[][]float64{{1, 3}}, math.Sqrt2, 2},
		{[][]float64{{1}, {1}}, 0, 2},
	} {
		if got, n := sample.OfNext(c.visits); math.Abs(got-c.want) > 1e-12 || n != c.n {
			t.Errorf("%v: %g of %d, want %g of %d", c.visits, got, n, c.want, c.n)
		}
	}
}
