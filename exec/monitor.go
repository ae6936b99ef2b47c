package exec

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/sample"
)

const (
	// driftMatters is how far measured times must be from those planned with, as a
	// factor, to look for a better plan.
	driftMatters = 1.3
	// driftAfter is for how long.
	driftAfter = 5 * time.Second
	// driftRest is the time between two such looks.
	driftRest = 30 * time.Second
	// window is of how many measurements the median counts.
	window = 15
)

// A part is what is measured: a device, or the link to another.
type part struct{ device, to int } // to is -1 for a device

// A monitor compares what passes measure, all along, with what the plan expects,
// and tells when it differs by enough and for long enough to matter. It is pure.
type monitor struct {
	timeout time.Duration
	adapts  bool // to what is less than a failure
	tracks  map[part]*track
	looked  time.Duration // when a better plan was last looked for
}

// A track is one part's measurements, as factors of what was expected.
type track struct {
	recent  []float64 // the last of them
	usual   float64   // what is normal where nothing was measured before; 0: not known yet
	planned float64   // what the present plan reckons with
	off     time.Duration
	isOff   bool
	isSlow  bool
	slow    time.Duration
}

func newMonitor(timeout time.Duration, adapts bool) *monitor {
	return &monitor{timeout: timeout, adapts: adapts, tracks: make(map[part]*track)}
}

// A finding is a part whose times differ from the plan's.
type finding struct {
	part   part
	factor float64 // of its usual time
	failed bool    // it is so slow that it counts as a failure
	since  time.Duration
}

func (f *finding) String() string {
	return fmt.Sprintf("%.2g times as long as planned since %s", f.factor, f.since.Round(time.Millisecond))
}

// measure takes in that a part took so many times longer than the costs say.
// Where these are measured themselves, by a profile, 1 is usual; else what is
// seen first is.
func (m *monitor) measure(p part, ratio float64, profiled bool, now time.Duration) {
	t := m.tracks[p]
	if t == nil {
		t = &track{planned: 1}
		m.tracks[p] = t
	}
	if t.recent = append(t.recent, ratio); len(t.recent) > window {
		t.recent = t.recent[1:]
	}
	if t.usual == 0 {
		switch {
		case profiled:
			t.usual = 1
		case len(t.recent) == window:
			t.usual = sample.Median(t.recent)
		default:
			return
		}
	}
	factor := t.factor()
	t.note(&t.isOff, &t.off, off(factor, t.planned) > driftMatters, now)
	t.note(&t.isSlow, &t.slow, factor > edgeshard.TooSlow*t.planned, now)
}

func (t *track) note(is *bool, since *time.Duration, now bool, at time.Duration) {
	if now && !*is {
		*since = at
	}
	*is = now
}

// factor is the median of the last measurements, in units of what is usual.
func (t *track) factor() float64 { return sample.Median(t.recent) / t.usual }

// off is by what factor two factors differ.
func off(a, b float64) float64 { return math.Exp(math.Abs(math.Log(a / b))) }

// busy takes in that a device has been at a computation for so many times longer
// than expected, and is not done.
func (m *monitor) busy(p part, ratio float64, now time.Duration) {
	t := m.tracks[p]
	if t == nil || t.usual == 0 || ratio < edgeshard.TooSlow*t.planned*t.usual {
		return
	}
	t.note(&t.isSlow, &t.slow, true, now)
	if now-t.slow > time.Duration(edgeshard.SlowAfter*float64(m.timeout)) {
		t.recent = slices.Repeat([]float64{ratio}, window) // it says more than what was before
	}
}

// find returns what is to be acted on now: all that differs, where something of
// it does by enough and for long enough; nil if nothing does.
func (m *monitor) find(now time.Duration) []finding {
	var all []finding
	act := false
	for _, p := range slices.SortedFunc(maps.Keys(m.tracks), func(a, b part) int {
		return (a.device-b.device)<<16 + a.to - b.to
	}) {
		t := m.tracks[p]
		if t.usual == 0 || len(t.recent) == 0 {
			continue
		}
		f := finding{part: p, factor: t.factor()}
		failed := p.to < 0 && t.isSlow && now-t.slow > time.Duration(edgeshard.SlowAfter*float64(m.timeout))
		drifted := m.adapts && t.isOff && now-t.off > driftAfter && (m.looked == 0 || now-m.looked > driftRest)
		switch {
		case failed:
			f.failed, f.since, act = true, t.slow, true
		case drifted:
			f.since, act = t.off, true
		case off(f.factor, t.planned) <= driftMatters:
			continue
		}
		all = append(all, f)
	}
	if !act {
		return nil
	}
	return all
}

// acted says that a better plan has been looked for with the factors found:
// these are what the plan reckons with from now on, whatever came of it, so that
// the same drift is not acted on again.
func (m *monitor) acted(found []finding, now time.Duration) {
	m.looked = now
	for _, f := range found {
		t := m.tracks[f.part]
		t.planned, t.isOff, t.isSlow = f.factor, false, false
	}
}

// forget drops what was measured in an epoch, but for what is usual.
func (m *monitor) forget() {
	for _, t := range m.tracks {
		t.recent, t.isOff, t.isSlow = nil, false, false
	}
}
