package dist_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/edgeshard/edgeshard/internal/dist"
)

// TestMoments draws a million numbers of each and holds mean and deviation
// against the definition, within five standard errors or what a heavy tail needs.
func TestMoments(t *testing.T) {
	for _, d := range []dist.Distribution{
		{"constant", 3, 0}, {"uniform", 3, 0.5}, {"exponential", 3, 1}, {"gamma", 3, 0.3}, {"gamma", 3, 2},
		{"weibull", 3, 0.4}, {"weibull", 3, 1.5}, {"lognormal", 3, 0.7},
	} {
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		const n = 1_000_000
		s := d.New(rand.New(rand.NewPCG(1, 2)))
		sum, squares := 0.0, 0.0
		for range n {
			x := s.Next()
			if !(x >= 0) {
				t.Fatalf("%+v gave %g", d, x)
			}
			sum += x
			squares += x * x
		}
		mean := sum / n
		cv := math.Sqrt(max(0, squares/n-mean*mean)) / mean
		if math.Abs(mean-d.Mean) > 5*d.Mean*d.CV/math.Sqrt(n)+1e-6 || math.Abs(cv-d.CV) > 0.03*d.CV+1e-6 {
			t.Errorf("%+v: mean %g, cv %g", d, mean, cv)
		}
	}
}

func TestValidate(t *testing.T) {
	for want, d := range map[string]dist.Distribution{
		`distribution is "normal": want one of constant, uniform, exponential, gamma, weibull, lognormal`: {"normal", 1, 1},
		"mean is -1: want 0 or more":                               {"constant", -1, 0},
		"mean is NaN: want 0 or more":                              {"gamma", math.NaN(), 1},
		"cv is 0.7: want 0.01 to 0.577 for a uniform distribution": {"uniform", 1, 0.7},
		"cv is 2: an exponential distribution has 1":               {"exponential", 1, 2},
		"cv is NaN: want 0.01 to 20 for a gamma distribution":      {"gamma", 1, math.NaN()},
		"cv is 0.5: want 0 to 0 for a constant distribution":       {"constant", 1, 0.5},
		"cv is 0: want 0.01 to 20 for a lognormal distribution":    {"lognormal", 1, 0},
	} {
		if err := d.Validate(); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", d, err, want)
		}
	}
}
