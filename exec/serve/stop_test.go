package serve

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// checkGiven: no stop is in what was seen, and no part of one ends what was given
// away of it, all of it.
func checkGiven(t *rapid.T, stops []string, seen, given string) {
	for _, stop := range stops {
		if strings.Contains(seen, stop) {
			t.Fatalf("stop %q in %q went by", stop, seen)
		}
		for n := 1; n < len(stop) && given == seen; n++ {
			if strings.HasSuffix(given, stop[:n]) {
				t.Fatalf("%q given away, which may begin %q", given, stop)
			}
		}
	}
}

// upToStop returns a text up to the first stop in it.
func upToStop(text string, stops []string) string {
	end := len(text)
	for _, stop := range stops {
		if i := strings.Index(text, stop); i >= 0 {
			end = min(end, i)
		}
	}
	return text[:end]
}

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
			checkGiven(t, stops, seen, given)
		}
		want := seen
		if hit {
			want = upToStop(seen, stops)
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
