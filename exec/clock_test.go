package exec

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestClock: whatever the delays on the way, the offset is right within the
// uncertainty that goes with it.
func TestClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth := rapid.Int64Range(-1e15, 1e15).Draw(t, "truth")
		var c clock
		now := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "handshakes") {
			out, back := rapid.Int64Range(0, 1e7).Draw(t, "out"), rapid.Int64Range(0, 1e7).Draw(t, "back")
			c.add(now, now+out+back, now+out+truth)
			now += 1e8
		}
		offset, uncertainty := c.offset()
		if wrong := max(offset-truth, truth-offset); wrong > uncertainty+1 { // ns are whole
			t.Fatalf("offset %d ± %d: want %d", offset, uncertainty, truth)
		}
	})
}

// TestClockForgets: a worker's clock that drifts is followed.
func TestClockForgets(t *testing.T) {
	var c clock
	c.add(0, 10, 5)
	for i := range int64(clockSamples) {
		c.add(i, i+100, i+50+7)
	}
	if offset, uncertainty := c.offset(); offset != 7 || uncertainty != 50 {
		t.Errorf("offset %d ± %d: want 7 ± 50", offset, uncertainty)
	}
}

func TestSleep(t *testing.T) {
	for _, d := range []time.Duration{0, 50 * time.Microsecond, coarse, coarse + time.Millisecond} {
		begin := time.Now()
		sleep(t.Context(), d)
		if took := time.Since(begin); took < d {
			t.Errorf("slept %s: want %s", took, d)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sleep(ctx, time.Hour)
}

func TestOccupancy(t *testing.T) {
	for _, c := range []struct{ bytes, bandwidth, want int64 }{
		{0, 1e6, 0}, {1, 0, 0}, {125, 1e6, 1e6}, {1 << 40, 1e9, int64(time.Hour)}, {1 << 62, 1, int64(time.Hour)},
	} {
		if got := occupancy(c.bytes, c.bandwidth); got != c.want {
			t.Errorf("occupancy(%d, %d) = %d: want %d", c.bytes, c.bandwidth, got, c.want)
		}
	}
}
