package des_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/sim/des"
)

// TestMMC simulates c exponential servers with one queue and Poisson arrivals,
// and holds the mean wait against Erlang's C formula.
func TestMMC(t *testing.T) {
	const c, lambda, mu = 3, 2.4, 1.0
	want := erlangC(c, lambda/mu) / (c*mu - lambda)
	sum, squares := 0.0, 0.0
	const runs = 30
	for run := range uint64(runs) {
		w := meanWait(c, lambda, mu, rand.New(rand.NewPCG(run, 3)))
		sum += w
		squares += w * w
	}
	mean := sum / runs
	half := 3.659 * math.Sqrt((squares/runs-mean*mean)/(runs-1)) // 99.9 %, Student's t with 29 degrees
	if math.Abs(mean-want) > half || half > want/10 {
		t.Errorf("mean wait %.4f ± %.4f s, want %.4f", mean, half, want)
	}
}

func meanWait(servers int, lambda, mu float64, rng *rand.Rand) float64 {
	const customers, warm = 40_000, 2_000
	after := func(rate float64) time.Duration { return time.Duration(rng.ExpFloat64() / rate * 1e9) }
	var e des.Engine[bool] // true: an arrival; false: a departure
	var queue des.Queue[time.Duration]
	waited, arrived, free := 0.0, 0, servers
	e.After(after(lambda), true)
	for served := 0; served < customers; {
		arrival, _ := e.Next()
		if arrival {
			arrived++
			queue.Push(e.Now())
			e.After(after(lambda), true)
		} else {
			free++
		}
		if free > 0 && queue.Len() > 0 {
			free--
			if served++; served > warm {
				waited += (e.Now() - queue.Pop()).Seconds()
			} else {
				queue.Pop()
			}
			e.After(after(mu), false)
		}
	}
	return waited / (customers - warm)
}

// erlangC is the probability that a customer waits, with an offered load of a.
func erlangC(c int, a float64) float64 {
	term, sum := 1.0, 0.0
	for k := range c {
		sum += term
		term *= a / float64(k+1)
	}
	wait := term * float64(c) / (float64(c) - a)
	return wait / (sum + wait)
}
