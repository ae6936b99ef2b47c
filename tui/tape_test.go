package tui

import (
	"math"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
)

// twoMicroBatches is a tape of two micro-batches of which the second waits for the
// second device.
func twoMicroBatches() *tape {
	const ms = time.Millisecond
	tape := newTape()
	for _, s := range []edgeshard.Span{
		{What: edgeshard.Memory, Device: 1, Bytes: 10, Start: 0, End: 4 * ms},
		{What: edgeshard.Memory, Device: 1, Bytes: 30, Start: 4 * ms, End: 16 * ms},
		{What: edgeshard.Queue, Request: 1, Start: 0, End: 2 * ms},
		{What: edgeshard.Compute, MicroBatch: 0, Device: 0, To: -1, Start: 0, End: 2 * ms},
		{What: edgeshard.Compute, MicroBatch: 1, Device: 0, To: -1, Start: 2 * ms, End: 4 * ms},
		{What: edgeshard.Send, MicroBatch: 0, Stage: 1, Device: 0, To: 1, Start: 2 * ms, Free: 3 * ms, End: 4 * ms},
		{What: edgeshard.Send, MicroBatch: 1, Stage: 1, Device: 0, To: 1, Start: 4 * ms, Free: 5 * ms, End: 6 * ms},
		{What: edgeshard.Compute, MicroBatch: 0, Stage: 1, Device: 1, To: -1, Start: 4 * ms, End: 10 * ms},
		{What: edgeshard.Token, Request: 0, Start: 0, End: 10 * ms},
		{What: edgeshard.Compute, MicroBatch: 1, Stage: 1, Device: 1, To: -1, Start: 10 * ms, End: 16 * ms},
		{What: edgeshard.Token, Request: 1, Start: 0, End: 16 * ms},
	} {
		tape.span(s)
	}
	return tape
}

func TestTape(t *testing.T) {
	const ms = time.Millisecond
	tape, second := twoMicroBatches(), lane{1, -1}
	for _, c := range []struct {
		at             time.Duration
		queued, active int
		memory         int64
		tokens, waits  int
	}{
		{0, 0, -1, 10, 0, 1}, {5 * ms, 0, 0, 30, 0, 0}, {7 * ms, 1, 0, 30, 0, 0}, {11 * ms, 0, 1, 30, 1, 0}, {16 * ms, 0, -1, 30, 2, 0},
	} {
		if got := tape.queued(second, c.at); got != c.queued {
			t.Errorf("%s: %d queued: want %d", c.at, got, c.queued)
		}
		active := -1
		if b, ok := tape.activeIn(second, 1, c.at); ok {
			active = b.micro
		}
		if active != c.active {
			t.Errorf("%s: micro-batch %d is active: want %d", c.at, active, c.active)
		}
		if got := tape.memoryAt(1, c.at); got != c.memory {
			t.Errorf("%s: %d bytes: want %d", c.at, got, c.memory)
		}
		if got := len(tape.tokensBy(c.at)); got != c.tokens {
			t.Errorf("%s: %d tokens: want %d", c.at, got, c.tokens)
		}
		if got := tape.waiting(c.at); got != c.waits {
			t.Errorf("%s: %d wait: want %d", c.at, got, c.waits)
		}
	}
	if tape.end != 16*ms {
		t.Errorf("the end is %s", tape.end)
	}
}

func TestUse(t *testing.T) {
	tape := newTape()
	for _, at := range []int{0, 20, 25, 60} { // 20–30 and 25–35 overlap
		start := time.Duration(at) * time.Millisecond
		tape.span(edgeshard.Span{What: edgeshard.Compute, Device: 1, To: -1, Start: start, End: start + 10*time.Millisecond})
	}
	for _, c := range []struct {
		from, to time.Duration
		want     float64
	}{{0, 100, 0.35}, {0, 10, 1}, {10, 20, 0}, {22, 42, 0.65}, {5, 5, 0}} {
		if got := tape.use(lane{1, -1}, c.from*time.Millisecond, c.to*time.Millisecond); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %d to %d ms: %g: want %g", c.from, c.to, got, c.want)
		}
	}
}
