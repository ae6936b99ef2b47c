package solver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/solver/verify"
)

// Equal input gives equal plans and certificates, to the byte.
func TestDeterminism(t *testing.T) {
	for _, objective := range []edgeshard.Objective{edgeshard.Latency, edgeshard.Throughput} {
		var first []byte
		for range 5 {
			p, r, err := solver.Plan(context.Background(), job(t, "edgeshard-testbed", "llama2-70b", wide()), solver.Options{Objective: objective})
			if err != nil {
				t.Fatal(err)
			}
			p.Solver.ElapsedMS = 0
			data, err := json.Marshal([]any{p, r.Certificate(solver.Constraints{})})
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = data
			}
			if !bytes.Equal(data, first) {
				t.Fatalf("%s\n%s", first, data)
			}
		}
	}
}

// A hint makes no difference to the answer.
func TestWarmIsCold(t *testing.T) {
	for _, model := range []string{"llama2-7b", "llama2-13b", "llama2-70b"} {
		j := job(t, "edgeshard-testbed", model, edgeshard.DefaultWorkload())
		_, hint, err := solver.Plan(context.Background(), j, solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l := j.Topology.Link(1, 14)
		l.Bandwidth /= 2
		if j.Topology, err = j.Topology.WithLink(1, 14, l); err != nil {
			t.Fatal(err)
		}
		_, cold, err := solver.Plan(context.Background(), j, solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, warm, err := solver.Plan(context.Background(), j, solver.Options{Hint: hint})
		if err != nil {
			t.Fatal(err)
		}
		if !warm.Proved || warm.Objective() != cold.Objective() {
			t.Errorf("%s: warm %d, cold %d", model, warm.Objective(), cold.Objective())
		}
	}
}

// A hard problem stops soon after its context does, and at its deadline with a
// plan whose bound is certified.
func TestStops(t *testing.T) {
	p := solver.Clusters["64"].Problem(9)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := solver.Solve(ctx, p, solver.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	if late := time.Since(start) - 300*time.Millisecond; late > 500*time.Millisecond {
		t.Errorf("stopped %v late", late) // 50 ms on a core of its own
	}
	r, err := solver.Solve(context.Background(), p, solver.Options{Deadline: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if r.Proved || r.Bound <= 0 || r.Gap() <= 0 {
		t.Errorf("proved %t, bound %d, gap %g", r.Proved, r.Bound, r.Gap())
	}
	if err := verify.Check(p, roundTrip(t, r.Certificate(solver.Constraints{}))); err != nil {
		t.Error(err)
	}
}
