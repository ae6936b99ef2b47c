package serve

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestStopper: however a text is cut into parts, what is given away is the text
// up to the stop that is complete first, and nothing that could begin one.
func TestStopper(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 1, 4, -1)
		stops := rapid.SliceOfN(letters, 0, 3).Draw(t, "stops")
		parts := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 0, 3, -1), 0, 12).Draw(t, "parts")
		s := stopper{stops: stops}
		var given, seen string
		hit := false
		for _, p := range parts {
			seen += p
			var certain string
			certain, hit = s.add(p)
			given += certain
			if hit {
				break
			}
			for _, stop := range stops {
				if strings.Contains(seen, stop) {
					t.Fatalf("stop %q in %q went by", stop, seen)
				}
				for n := 1; n < len(stop) && n <= len(given); n++ {
					if strings.HasSuffix(given, stop[:n]) && strings.HasPrefix(seen, given) && len(seen) == len(given) {
						t.Fatalf("%q given away, which may begin %q", given, stop)
					}
				}
			}
		}
		want := seen
		if hit {
			end := len(seen)
			for _, stop := range stops {
				if i := strings.Index(seen, stop); i >= 0 {
					end = min(end, i)
				}
			}
			want = seen[:end]
		} else {
			given += s.flush()
		}
		if given != want {
			t.Fatalf("%q given away of %q, want %q", given, seen, want)
		}
	})
}

// TestMeter: the rate is that of the last seconds, and falls to nothing.
func TestMeter(t *testing.T) {
	var m meter
	at := time.Unix(1000, 0)
	for i := range 200 {
		m.add(at.Add(time.Duration(i) * 100 * time.Millisecond)) // ten a second, for twenty
	}
	for after, want := range map[time.Duration]float64{20 * time.Second: 10, 25 * time.Second: 5, time.Minute: 0} {
		copied := m
		if got := copied.rate(at.Add(after)); got != want {
			t.Errorf("%g tokens/s %s after the start, want %g", got, after, want)
		}
	}
}
