package solver_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/solver/verify"
)

// roundTrip writes a certificate and reads it again.
func roundTrip(t interface{ Fatal(...any) }, c *solver.Certificate) *solver.Certificate {
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(strings.ReplaceAll(string(data), "d0", ""), ".") {
		t.Fatal("a certificate holds a number that is no integer: ", string(data))
	}
	var d solver.Certificate
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

func TestCertificatesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := solver.DrawProblem(t, 7, 5)
		r, err := solver.Solve(context.Background(), p, solver.Options{})
		if err != nil {
			return
		}
		c := roundTrip(t, r.Certificate(solver.Constraints{}))
		if c.Bound != c.Value {
			t.Fatalf("bound %d, value %d", c.Bound, c.Value)
		}
		if err := verify.Check(p, c); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever it rests on, a certificate that states too high a bound is refused.
func TestFalseCertificatesFall(t *testing.T) {
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		p := solver.DrawProblem(t, 6, 4)
		r, err := solver.Solve(context.Background(), p, solver.Options{})
		if err != nil {
			return
		}
		c := roundTrip(t, r.Certificate(solver.Constraints{}))
		worse, err := solver.Solve(context.Background(), p, solver.Options{Solver: rapid.SampledFrom([]string{"edgeshard", "solo", "even", "cloud-even"}).Draw(t, "worse")})
		if err != nil || worse.Objective() == r.Objective() {
			return
		}
		c.Stages, c.Value = worse.Stages, worse.Objective()
		c.Bound = c.Value
		for i := range c.Proofs {
			c.Proofs[i].Tau = solver.Never
			for k := range c.Proofs[i].Prices {
				c.Proofs[i].Prices[k] += rapid.IntRange(0, 3).Draw(t, "price")
			}
		}
		if verify.Check(p, c) == nil {
			t.Fatalf("accepted that nothing is below %d: the optimum is %d", c.Bound, r.Objective())
		}
		refused++
	})
	t.Logf("%d false certificates refused", refused)
}

func TestCertificateFaults(t *testing.T) {
	p := solver.Testbed(t, 18.6, 1)
	r, err := solver.Solve(context.Background(), p, solver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*solver.Certificate){
		"objective is":          func(c *solver.Certificate) { c.Objective = edgeshard.Throughput },
		"the stages cost":       func(c *solver.Certificate) { c.Value-- },
		"is above value_ns":     func(c *solver.Certificate) { c.Bound++ },
		"units [33, 34) are on": func(c *solver.Certificate) { c.Stages[2].To-- },
		"want one proof":        func(c *solver.Certificate) { c.Proofs = nil },
		"leaves out plans":      func(c *solver.Certificate) { c.Proofs[0].Tau = 1 },
		"of another problem":    func(c *solver.Certificate) { c.Proofs[0].Prices = nil },
		"out of range":          func(c *solver.Certificate) { c.Proofs[0].Prices[0] = -1 },
		"not there":             func(c *solver.Certificate) { c.Proofs[0].Memory[0] = []int{9} },
		"below the bound": func(c *solver.Certificate) {
			c.Proofs[0].Memory = make([][]int, len(c.Proofs[0].Memory))
			clear(c.Proofs[0].Prices)
		},
	} {
		c := roundTrip(t, r.Certificate(solver.Constraints{}))
		spoil(c)
		if err := verify.Check(p, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if err := verify.Check(p, roundTrip(t, r.Certificate(solver.Constraints{}))); err != nil {
		t.Error(err)
	}
}

// A round that stages and links alone rule out is proved by what covers all units,
// and only by prices or memory enough.
func TestCoveringCertificates(t *testing.T) {
	p := solver.Clusters["64"].Problem(7)
	p.Objective, p.MicroBatches = edgeshard.Throughput, 64
	r, err := solver.Solve(context.Background(), p, solver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := roundTrip(t, r.Certificate(solver.Constraints{}))
	if !r.Proved || !c.Proofs[0].Covering {
		t.Fatalf("proved %v, by %+v", r.Proved, c.Proofs[0])
	}
	if err := verify.Check(p, c); err != nil {
		t.Error(err)
	}
	c.Proofs[0].Tau = r.Value.Busy // a plan there is
	if err := verify.Check(p, c); err == nil || !strings.Contains(err.Error(), "covers all units") {
		t.Errorf("got %v, want that some sequence covers all units", err)
	}
	p.Revisits = true
	if err := verify.Check(p, c); err == nil || !strings.Contains(err.Error(), "one visit a device") {
		t.Errorf("got %v, want one visit a device", err)
	}
}
