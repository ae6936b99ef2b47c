// Package verify checks a solver's certificate. It shares the problem with
// package solver, and none of its search: for each graph of the problem it walks
// the certificate's relaxation once, plainly, and sees that no path is below the
// bound.
package verify

import (
	"fmt"
	"math"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// Check returns why a certificate does not prove of the problem what it states:
// that its stages are a plan of that value, and that no plan's is below the bound.
func Check(p *solver.Problem, c *solver.Certificate) error {
	if p.Objective != c.Objective {
		return fmt.Errorf("certificate: objective is %q: the problem's is %q", c.Objective, p.Objective)
	}
	if err := checkPlan(p, c); err != nil {
		return err
	}
	if c.Bound > c.Value {
		return fmt.Errorf("certificate: bound_ns %d is above value_ns %d", c.Bound, c.Value)
	}
	tau, limit := sought(p, c.Bound)
	if err := covered(p, c); err != nil {
		return err
	}
	q := p.Apart(c.Apart)
	for i := range c.Proofs {
		if c.Proofs[i].Tau < tau {
			return fmt.Errorf("certificate: proofs[%d]: tau_ns %d leaves out plans up to %d", i, c.Proofs[i].Tau, tau)
		}
		w, err := newWalk(q, &c.Proofs[i], limit)
		if err != nil {
			return fmt.Errorf("certificate: proofs[%d]: %w", i, err)
		}
		walk := w.run
		if c.Proofs[i].Covering {
			walk = w.cover
		}
		if err := walk(); err != nil {
			return fmt.Errorf("certificate: proofs[%d]: %w", i, err)
		}
	}
	return nil
}

func checkPlan(p *solver.Problem, c *solver.Certificate) error {
	stages := append([]edgeshard.Stage(nil), c.Stages...)
	for i := range stages {
		stages[i].Device = -1
		for d := range p.Devices {
			if p.Devices[d].Name == stages[i].Name {
				stages[i].Device = d
			}
		}
	}
	if err := p.Check(stages); err != nil {
		return fmt.Errorf("certificate: stages: %w", err)
	}
	if v := p.Of(p.Value(stages)); v != c.Value {
		return fmt.Errorf("certificate: value_ns is %d: the stages cost %d", c.Value, v)
	}
	return nil
}

// sought returns what a plan below the bound may keep busy, and its cost, at most:
// the proofs must leave no such plan out, and find none.
func sought(p *solver.Problem, bound int64) (tau, limit int64) {
	k := int64(p.MicroBatches)
	tau = math.MaxInt64
	if p.Objective == edgeshard.Throughput {
		tau = min(bound-1, p.MaxLoop) / k
	} else if bounded(p.MaxLoop) {
		tau = p.MaxLoop / k
	}
	return min(tau, solver.Never), bound
}

func bounded(x int64) bool { return x < solver.Never }

// covered sees that the proofs' graphs hold all plans but those with everything
// on the source, and that these are no better than the bound.
func covered(p *solver.Problem, c *solver.Certificate) error {
	last := p.Pin(p.Units-1) == p.Source
	if p.Revisits || !last {
		if len(c.Proofs) != 1 || c.Proofs[0].Tail != 0 {
			return fmt.Errorf("certificate: want one proof, without a tail")
		}
		return nil
	}
	tails := make(map[int]bool)
	for i := range c.Proofs {
		tails[c.Proofs[i].Tail] = true
	}
	for b := p.Units - 1; b > 0; b-- {
		if pin := p.Pin(b); pin >= 0 && pin != p.Source {
			break
		}
		if !tails[b] {
			return fmt.Errorf("certificate: no proof has tail %d", b)
		}
	}
	solo := []edgeshard.Stage{{Name: p.Devices[p.Source].Name, Device: p.Source, From: 0, To: p.Units}}
	if p.Check(solo) == nil && p.Of(p.Value(solo)) < c.Bound {
		return fmt.Errorf("certificate: all units on the source are below the bound")
	}
	return nil
}
