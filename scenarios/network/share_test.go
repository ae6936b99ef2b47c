package network

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestShareByHand: max-min shares worked out by hand.
func TestShareByHand(t *testing.T) {
	for name, c := range map[string]struct {
		flows    []flowRate
		capacity []int64
		want     []int64
	}{
		"alone":             {[]flowRate{{limit: 70}}, nil, []int64{70}},
		"equal":             {[]flowRate{{limit: 100, segments: []int{0}}, {limit: 100, segments: []int{0}}, {limit: 100, segments: []int{0}}}, []int64{90}, []int64{30, 30, 30}},
		"one wants less":    {[]flowRate{{limit: 10, segments: []int{0}}, {limit: 100, segments: []int{0}}, {limit: 100, segments: []int{0}}}, []int64{90}, []int64{10, 40, 40}},
		"rounded down":      {[]flowRate{{limit: 100, segments: []int{0}}, {limit: 100, segments: []int{0}}, {limit: 100, segments: []int{0}}}, []int64{100}, []int64{33, 33, 33}},
		"parking lot":       {[]flowRate{{limit: 99, segments: []int{0, 1}}, {limit: 99, segments: []int{0}}, {limit: 99, segments: []int{1}}}, []int64{10, 30}, []int64{5, 5, 25}},
		"three bottlenecks": {[]flowRate{{limit: 99, segments: []int{0}}, {limit: 99, segments: []int{0, 1}}, {limit: 99, segments: []int{1, 2}}, {limit: 99, segments: []int{2}}}, []int64{8, 14, 30}, []int64{4, 4, 10, 20}},
		"outage":            {[]flowRate{{limit: 0, segments: []int{0}}, {limit: 100, segments: []int{0}}}, []int64{60}, []int64{0, 60}},
	} {
		share(c.flows, c.capacity)
		var got []int64
		for _, f := range c.flows {
			got = append(got, f.rate)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestShareIsMaxMin: no segment is above its capacity, no flow above its limit,
// and each flow is at its limit or on a full segment where none has more.
func TestShareIsMaxMin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.SliceOfN(rapid.Int64Range(0, 1e9), 1, 4).Draw(t, "capacity")
		flows := make([]flowRate, rapid.IntRange(1, 8).Draw(t, "flows"))
		for i := range flows {
			flows[i].limit = rapid.Int64Range(0, 1e9).Draw(t, "limit")
			for s := range capacity {
				if rapid.Bool().Draw(t, "on") {
					flows[i].segments = append(flows[i].segments, s)
				}
			}
		}
		share(flows, capacity)
		used, most := make([]int64, len(capacity)), make([]int64, len(capacity))
		for _, f := range flows {
			if f.rate < 0 || f.rate > f.limit {
				t.Fatalf("rate %d of at most %d", f.rate, f.limit)
			}
			for _, s := range f.segments {
				used[s] += f.rate
				most[s] = max(most[s], f.rate)
			}
		}
		slack := int64(len(flows)) // of rounding down
		for _, f := range flows {
			full := func(s int) bool { return used[s] >= capacity[s]-slack && f.rate >= most[s]-slack }
			if f.rate < f.limit && !slices.ContainsFunc(f.segments, full) {
				t.Fatalf("%+v could have more: used %v of %v", f, used, capacity)
			}
		}
		for s := range capacity {
			if used[s] > capacity[s] {
				t.Fatalf("%d bits a second on a segment of %d", used[s], capacity[s])
			}
		}
	})
}

// TestWork: work is whole bits·ns, and its time is rounded up.
func TestWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Int64Range(0, math.MaxInt64/4).Draw(t, "d")
		rate := rapid.Int64Range(1, 1<<50).Draw(t, "rate")
		w := workOf(0, 5)
		if w != (work{}) {
			t.Fatal("no time is some work")
		}
		w = workOf(time.Duration(d), rate)
		if got := w.time(rate); int64(got) != min(d, int64(Never)) {
			t.Fatalf("%d ns at %d take %d ns", d, rate, got)
		}
		part := rapid.Int64Range(0, d).Draw(t, "part")
		w.subtract(workOf(time.Duration(part), rate))
		if got := w.time(rate); int64(got) != min(d-part, int64(Never)) {
			t.Fatalf("%d ns less %d at %d take %d ns", d, part, rate, got)
		}
	})
}
