package exec

import (
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A computation takes what the worker's own clock says, and never less than nothing,
// whatever is found out meanwhile of how far that clock is ahead.
func TestSpanOfComputing(t *testing.T) {
	e := &Engine{epoch: &epoch{}, obs: edgeshard.Tee()}
	m := &member{device: 0, clock: &clock{}}
	e.epoch.seats = []*seat{{member: m}}
	batch := &edgeshard.MicroBatch{Requests: []edgeshard.Request{{}}}
	for _, c := range []struct {
		start, end int64
		want       time.Duration
	}{{1000, 1500, 500}, {1000, 1000, 0}, {1000, 900, 0}} {
		m.clock.add(0, 10-c.want.Nanoseconds()/100, 5000)
		s := e.span(batch, &wire.Span{StartNs: c.start, EndNs: c.end})
		if got := s.End - s.Start; got != c.want {
			t.Errorf("from %d to %d: it took %s, want %s", c.start, c.end, got, c.want)
		}
	}
}
