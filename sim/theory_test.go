package sim_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
)

// TestClosedForms holds the pipeline against a closed tandem of K customers: in
// steady state a token takes max(S, K·M) without bubbles, S+(K−1)·M with them and
// K·S in sequence, S the loop time of a micro-batch and M the busiest resource's.
func TestClosedForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, false)
		costs := drawCosts(t, len(p.Topology.Devices), p.Model.Config.Units(), 12)
		costs.invariant = true
		w := &p.Workload
		w.MicroBatch = rapid.IntRange(1, 3).Draw(t, "micro-batch")
		k := rapid.IntRange(1, 7).Draw(t, "micro-batches")
		w.Batch, w.Requests = k*w.MicroBatch, k*w.MicroBatch
		w.Tokens = 400
		w.Schedule = rapid.SampledFrom([]edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles}).Draw(t, "schedule")

		l := p.Spec().Loop(costs, p.Stages, models.Pass{Batch: w.MicroBatch, Tokens: 1}, w.Return)
		tokens := simulate(t, sim.Runner{Costs: costs}, p).of(edgeshard.Token)
		got, want := time.Duration(0), time.Duration(0)
		switch w.Schedule {
		case edgeshard.Sequential: // the whole batch, one token of one micro-batch after another
			got, want = tokens.makespan(), time.Duration(k*w.Tokens)*l.Time
		case edgeshard.Bubbles:
			got, want = tokens.makespan(), time.Duration(w.Tokens)*(l.Time+time.Duration(k-1)*l.Busy)
		case edgeshard.NoBubbles: // the last steps of every micro-batch, ten periods apart
			want = 10 * max(l.Time, time.Duration(k)*l.Busy)
			at := make(map[[2]int]time.Duration)
			for _, x := range tokens {
				at[[2]int{x.Request, x.Step}] = x.End
			}
			for r := range w.Requests {
				if got = at[[2]int{r, w.Tokens - 1}] - at[[2]int{r, w.Tokens - 11}]; got != want {
					break
				}
			}
		}
		if got != want {
			t.Errorf("%s, K=%d, S=%v, M=%v: %v, want %v", w.Schedule, k, l.Time, l.Busy, got, want)
		}
	})
}

// TestParityWithLoop: one request on idle devices and links takes the sum of its
// passes' loops, to the nanosecond, also when devices are revisited.
func TestParityWithLoop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, true)
		costs := drawCosts(t, len(p.Topology.Devices), p.Model.Config.Units(), 1e6)
		w := &p.Workload
		w.PromptTokens, w.Tokens = rapid.IntRange(1, 40).Draw(t, "prompt"), rapid.IntRange(1, 40).Draw(t, "tokens")
		w.Return = rapid.SampledFrom([]edgeshard.Return{edgeshard.ReturnToken, edgeshard.ReturnLogits}).Draw(t, "return")
		w.Schedule = rapid.SampledFrom([]edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles}).Draw(t, "schedule")

		want := p.Spec().Loop(costs, p.Stages, models.Pass{Batch: 1, Tokens: w.PromptTokens}, w.Return).Time
		for past := w.PromptTokens; past < w.Positions()-1; past++ {
			want += p.Spec().Loop(costs, p.Stages, models.Pass{Batch: 1, Tokens: 1, Past: past}, w.Return).Time
		}
		if got := simulate(t, sim.Runner{Costs: costs}, p).of(edgeshard.Token).makespan(); got != want {
			t.Errorf("makespan %v, want %v", got, want)
		}
	})
}
