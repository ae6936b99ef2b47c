//go:build !race

package solver_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// spent is the processor time of this process, which other jobs do not lengthen.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// watched is a context that notes the longest work between two looks at it, and
// is cancelled after so much work.
type watched struct {
	context.Context
	last, longest, until time.Duration
}

func (w *watched) Err() error {
	now := spent()
	if w.longest = max(w.longest, now-w.last); now > w.until {
		w.last = now
		return context.Canceled
	}
	w.last = now
	return nil
}

// tries is how often a stretch without a look must show: one that is the search's own
// comes again, one in which the system had to find memory does not.
const tries = 3

// unlooked cancels a search after some work, and returns the longest that it worked
// without a look at its context.
func unlooked(t *testing.T, name string, p *solver.Problem, o solver.Options, work time.Duration) time.Duration {
	t.Helper()
	start := spent()
	w := &watched{Context: context.Background(), last: start, until: start + work}
	if _, err := solver.Solve(w, p, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%s: got %v, want it cancelled", name, err)
	}
	after := spent() - w.last
	t.Logf("%s: at most %v between looks, back %v after the last", name, w.longest, after)
	return max(w.longest, after)
}

// Whatever a solve is at, it looks at its context within 50 ms of work: the
// largest instances, both objectives, and the paper's 2^M algorithm.
func TestCancelWithin50ms(t *testing.T) {
	large, slow := solver.Clusters["256"].Problem(2), solver.Clusters["64"].Problem(9)
	throughput := *slow
	throughput.Objective, throughput.MicroBatches = edgeshard.Throughput, 64
	distinct := randomJob(t, 62, wide())
	p, err := solver.New(distinct.Spec(), wide(), solver.Options{Objective: edgeshard.Throughput})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		p    *solver.Problem
		o    solver.Options
		work time.Duration
	}{
		{"latency, 256 devices", large, solver.Options{}, 2 * time.Second},
		{"latency, 64 devices", slow, solver.Options{}, time.Second / 2},
		{"throughput, 64 devices", &throughput, solver.Options{}, time.Second / 2},
		{"2^M, 13 devices", p, solver.Options{Solver: "edgeshard"}, 200 * time.Millisecond},
	} {
		late := time.Hour
		for try := 0; try < tries && late > 50*time.Millisecond; try++ {
			late = min(late, unlooked(t, c.name, c.p, c.o, c.work))
		}
		if late > 50*time.Millisecond {
			t.Errorf("%s: %v of work without a look at the context", c.name, late)
		}
	}
}
