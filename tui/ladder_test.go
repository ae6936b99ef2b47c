package tui

import (
	"testing"

	"pgregory.net/rapid"
)

func TestRung(t *testing.T) {
	for _, c := range []struct {
		v    float64
		by   int
		want float64
	}{{1, 1, 1.2}, {8, 1, 10}, {10, -1, 8}, {1e9, 1, 1.2e9}, {50e6, -1, 40e6}, {7, 1, 8}, {7, -1, 6}, {0.1, -1, 0.08}, {9, 1, 10}, {9, -1, 8}, {1, 10, 10}} {
		if got := rung(c.v, c.by); !near(got, c.want) {
			t.Errorf("rung(%g, %d) = %g: want %g", c.v, c.by, got, c.want)
		}
	}
}

// TestLaddersGoBothWays: up and down again leads back, from any step.
func TestLaddersGoBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rung(rapid.Float64Range(1e-3, 1e12).Draw(t, "v"), 1)
		if up := rung(v, 1); up <= v || !near(rung(up, -1), v) {
			t.Fatalf("%g up is %g, and down again %g", v, up, rung(up, -1))
		}
		n := wholeRung(rapid.IntRange(1, 1<<20).Draw(t, "n"), 1)
		if up := wholeRung(n, 1); up <= n || wholeRung(up, -1) != n {
			t.Fatalf("%d up is %d, and down again %d", n, up, wholeRung(up, -1))
		}
		b := memoryRung(rapid.Int64Range(1<<21, 1<<40).Draw(t, "b"), 1)
		if up := memoryRung(b, 1); up <= b || memoryRung(up, -1) != b {
			t.Fatalf("%d up is %d, and down again %d", b, up, memoryRung(up, -1))
		}
	})
}

// TestKnobsStayValid turns random knobs: the question is always one, or an error.
func TestKnobsStayValid(t *testing.T) {
	b := fakeBackend()
	q := ask(t, "local-3", "demo")
	rapid.Check(t, func(t *rapid.T) {
		q := q
		for range 30 {
			top := q.Topology
			i := rapid.IntRange(0, len(top.Devices)-1).Draw(t, "device")
			j := (i + 1) % len(top.Devices)
			all := append(b.knobs(), memoryKnob(top, i), speedKnob(top, i), bandwidthKnob(top, i, j, true), latencyKnob(top, i, j, false))
			k := all[rapid.IntRange(0, len(all)-1).Draw(t, "knob")]
			next, err := k.step(q, rapid.SampledFrom([]int{-1, 1}).Draw(t, "by"))
			if err != nil || next.Validate() != nil {
				continue
			}
			q = next
			if k.share != nil {
				if s := k.share(&q); !(s >= 0 && s <= 1) {
					t.Fatalf("%s is at %g of its slider", k.label(), s)
				}
			}
		}
	})
}
