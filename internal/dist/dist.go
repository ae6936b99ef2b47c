// Package dist draws positive random numbers from distributions named by their
// mean and coefficient of variation.
package dist

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// A Distribution of positive numbers. CV is the coefficient of variation, the
// standard deviation over the mean; constant has none and exponential has 1,
// given or not.
type Distribution struct {
	Name string
	Mean float64
	CV   float64
}

// Names are the known distributions.
var Names = []string{"constant", "uniform", "exponential", "gamma", "weibull", "lognormal"}

// The range of CV that all distributions but uniform, which ends at 1/√3, take.
const leastCV, mostCV = 0.01, 20

// Validate reports why nothing can be drawn from d.
func (d Distribution) Validate() error {
	if !(d.Mean >= 0 && d.Mean <= 1e18) {
		return fmt.Errorf("mean is %g: want 0 or more", d.Mean)
	}
	least, most := leastCV, float64(mostCV)
	switch d.Name {
	case "constant":
		least, most = 0, 0
	case "exponential":
		least, most = 0, 1
		if d.CV != 0 && d.CV != 1 {
			return fmt.Errorf("cv is %g: an exponential distribution has 1", d.CV)
		}
	case "uniform":
		most = 1 / math.Sqrt(3)
	case "gamma", "weibull", "lognormal":
	default:
		return fmt.Errorf("distribution is %q: want one of %s", d.Name, strings.Join(Names, ", "))
	}
	if !(d.CV >= least && d.CV <= most) {
		return fmt.Errorf("cv is %g: want %g to %.3g for a %s distribution", d.CV, least, most, d.Name)
	}
	return nil
}

// A Source draws from one distribution.
type Source struct {
	draw func() float64
}

// Next returns the next number.
func (s *Source) Next() float64 { return s.draw() }

// New returns a Source of d, which must be valid.
func (d Distribution) New(rng *rand.Rand) *Source {
	switch d.Name {
	case "uniform":
		half := math.Sqrt(3) * d.CV * d.Mean
		return &Source{func() float64 { return max(0, d.Mean-half) + rng.Float64()*2*half }}
	case "exponential":
		return &Source{func() float64 { return d.Mean * rng.ExpFloat64() }}
	case "gamma":
		shape := 1 / (d.CV * d.CV)
		return &Source{func() float64 { return d.Mean / shape * gamma(rng, shape) }}
	case "weibull":
		k := weibullShape(d.CV)
		scale := d.Mean / math.Gamma(1+1/k)
		return &Source{func() float64 { return scale * math.Pow(rng.ExpFloat64(), 1/k) }}
	case "lognormal":
		variance := math.Log1p(d.CV * d.CV)
		mu, sigma := math.Log(d.Mean)-variance/2, math.Sqrt(variance)
		return &Source{func() float64 { return math.Exp(mu + sigma*rng.NormFloat64()) }}
	}
	return &Source{func() float64 { return d.Mean }}
}

// gamma draws from the gamma distribution of scale 1 (Marsaglia and Tsang, ACM
// TOMS 26(3), 2000; a shape below 1 by raising it by one).
func gamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1) * math.Exp(-rng.ExpFloat64()/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// weibullShape returns the shape k whose coefficient of variation is cv:
// cv² = Γ(1+2/k)/Γ(1+1/k)² − 1, which falls with k.
func weibullShape(cv float64) float64 {
	target := math.Log1p(cv * cv)
	lo, hi := 0.05, 500.0
	for range 200 {
		k := (lo + hi) / 2
		second, _ := math.Lgamma(1 + 2/k)
		first, _ := math.Lgamma(1 + 1/k)
		if second-2*first > target {
			lo = k
		} else {
			hi = k
		}
	}
	return (lo + hi) / 2
}
