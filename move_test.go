package edgeshard

import (
	"testing"
	"time"
)

// TestMove: a plan is changed only if what is left repays it.
func TestMove(t *testing.T) {
	at := func(throughput float64) Prediction { return Prediction{Throughput: throughput} }
	for name, c := range map[string]struct {
		Move
		want bool
	}{
		"twice as fast, much left":      {Move{at(10), at(20), 1000, 5 * time.Second}, true},
		"twice as fast, little left":    {Move{at(10), at(20), 20, 5 * time.Second}, false},
		"a little faster":               {Move{at(10), at(10.5), 1000, 0}, false},
		"slower":                        {Move{at(10), at(5), 1000, 0}, false},
		"twice as fast, nothing runs":   {Move{at(10), at(20), 0, time.Hour}, true},
		"a little faster, nothing runs": {Move{at(10), at(10.5), 0, 0}, false},
	} {
		if got := c.Repays(); got != c.want {
			t.Errorf("%s: repays %v", name, got)
		}
	}
}
