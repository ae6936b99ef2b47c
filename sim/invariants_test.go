package sim_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// drawWorkload draws a small workload with everything in it that varies.
func drawWorkload(t *rapid.T) edgeshard.Workload {
	w := edgeshard.DefaultWorkload()
	w.Requests = rapid.IntRange(1, 24).Draw(t, "requests")
	w.PromptTokens, w.Tokens = rapid.IntRange(1, 9).Draw(t, "prompt"), rapid.IntRange(1, 9).Draw(t, "tokens")
	w.Batch = rapid.IntRange(1, 6).Draw(t, "batch")
	w.MicroBatch = rapid.IntRange(1, w.Batch).Draw(t, "micro-batch")
	w.Schedule = rapid.SampledFrom([]edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles}).Draw(t, "schedule")
	w.Admission = rapid.SampledFrom([]edgeshard.Admission{"", edgeshard.BatchAdmission, edgeshard.ContinuousAdmission}).Draw(t, "admission")
	w.Order = rapid.SampledFrom([]edgeshard.Order{"", edgeshard.FIFO, edgeshard.ShortestFirst}).Draw(t, "order")
	w.Rate = rapid.SampledFrom([]float64{0, 0, 1e6, 1e8}).Draw(t, "rate")
	w.Seed = rapid.Uint64().Draw(t, "seed")
	for range rapid.IntRange(0, w.Requests).Draw(t, "prompts") {
		w.Prompts = append(w.Prompts, "x")
		w.PromptLengths = append(w.PromptLengths, rapid.IntRange(1, w.PromptTokens).Draw(t, "length"))
	}
	return w
}

// squeeze gives the devices of a plan a budget that holds its weights and from
// none to all of the KV caches in flight.
func squeeze(t *rapid.T, p *edgeshard.Plan) {
	peaks := p.Footprint().Peaks(p.Stages, len(p.Topology.Devices), func(int) int64 { return 0 })
	flight := int64(p.Workload.InFlight())
	for d := range p.Topology.Devices {
		kv := int64(0)
		for _, s := range p.Stages {
			for u := s.From; u < s.To && s.Device == d; u++ {
				kv += p.Footprint().KV(u)
			}
		}
		p.Topology.Devices[d].Memory = topologies.Bytes(peaks[d] - rapid.Int64Range(0, flight*kv).Draw(t, "squeeze"))
	}
}

// TestInvariants checks on random runs that nothing is lost, nothing does two
// things at once, and that the fast path and a second run give the same spans.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t, true)
		costs := drawCosts(t, len(p.Topology.Devices), p.Model.Config.Units(), 50)
		p.Workload = drawWorkload(t)
		if rapid.Bool().Draw(t, "squeeze memory") {
			squeeze(t, p)
		}
		slow := simulate(t, sim.Runner{Costs: costs, SlowPath: true}, p)
		if diff := cmp.Diff(slow, simulate(t, sim.Runner{Costs: costs}, p)); diff != "" {
			t.Fatalf("event by event (-) and fast-forward (+):\n%s", diff)
		}
		checkConserved(t, p, slow)
		checkExclusive(t, slow)
		checkMemory(t, p, slow)
	})
}

// checkConserved: every request has all its tokens in order, or was given up;
// every pass runs every stage once; bytes are those of the passes.
func checkConserved(t *rapid.T, p *edgeshard.Plan, s spans) {
	checkOrdered(t, s)
	checkAnswered(t, p, s)
	checkPasses(t, p, s)
	checkBytes(t, p, s)
}

func checkOrdered(t *rapid.T, s spans) {
	last := time.Duration(0)
	for _, x := range s {
		if x.End < last && x.What != edgeshard.Memory || x.Start > x.End {
			t.Fatalf("time runs back: %+v after %v", x, last)
		}
		last = max(last, x.End)
	}
}

func checkAnswered(t *rapid.T, p *edgeshard.Plan, s spans) {
	tokens := make(map[int]int)
	for _, x := range s.of(edgeshard.Token) {
		if x.Step != tokens[x.Request] {
			t.Fatalf("request %d got token %d after %d tokens", x.Request, x.Step, tokens[x.Request])
		}
		tokens[x.Request]++
	}
	for _, x := range s.of(edgeshard.OOM) {
		if _, ok := tokens[x.Request]; ok {
			t.Fatalf("request %d was given up and got tokens", x.Request)
		}
		tokens[x.Request] = p.Workload.Tokens
	}
	for r := range p.Workload.Requests {
		if tokens[r] != p.Workload.Tokens {
			t.Fatalf("request %d got %d tokens of %d", r, tokens[r], p.Workload.Tokens)
		}
	}
}

func checkPasses(t *rapid.T, p *edgeshard.Plan, s spans) {
	passes := make(map[[2]int]int)
	for _, x := range s.of(edgeshard.Compute) {
		key := [2]int{x.MicroBatch, x.Step}
		if x.Stage != passes[key] {
			t.Fatalf("micro-batch %d step %d ran stage %d after %d stages", x.MicroBatch, x.Step, x.Stage, passes[key])
		}
		passes[key]++
	}
	for key, n := range passes {
		if n != len(p.Stages) {
			t.Fatalf("micro-batch %d step %d ran %d stages of %d", key[0], key[1], n, len(p.Stages))
		}
	}
}

func checkBytes(t *rapid.T, p *edgeshard.Plan, s spans) {
	for _, x := range s.of(edgeshard.Send) {
		if want := p.Model.Config.ActivationBytes(models.Pass{Batch: x.Batch, Tokens: 1}); x.Step > 0 && x.Bytes != want {
			t.Fatalf("%d bytes of activations, want %d: %+v", x.Bytes, want, x)
		}
	}
	var sent, want int64
	for _, x := range s.of(edgeshard.Back) {
		sent += x.Bytes
	}
	if p.Stages[len(p.Stages)-1].Device != p.Topology.Source {
		want = int64(len(s.of(edgeshard.Token))) * models.TokenBytes
	}
	if sent != want {
		t.Fatalf("%d bytes returned, want %d", sent, want)
	}
}

// checkExclusive: a device computes one stage at a time, a link carries one message.
func checkExclusive(t *rapid.T, s spans) {
	device, link := make(map[int]time.Duration), make(map[[2]int]time.Duration)
	for _, x := range s {
		switch key := [2]int{x.Device, x.To}; x.What {
		case edgeshard.Compute:
			if x.Start < device[x.Device] {
				t.Fatalf("device does two things at once: %+v starts before %v", x, device[x.Device])
			}
			device[x.Device] = x.End
		case edgeshard.Send, edgeshard.Back:
			if x.Free > x.End || x.Start > x.Free {
				t.Fatalf("times of a message out of order: %+v", x)
			}
			if x.Start < link[key] {
				t.Fatalf("link carries two messages at once: %+v starts before %v", x, link[key])
			}
			link[key] = x.Free
		}
	}
}

// checkMemory: the memory spans of a device follow on one another from start to
// end, never above its budget.
func checkMemory(t *rapid.T, p *edgeshard.Plan, s spans) {
	until := make(map[int]time.Duration)
	for _, x := range s.of(edgeshard.Memory) {
		if x.Start != until[x.Device] {
			t.Fatalf("memory of device %d told from %v, before until %v", x.Device, x.Start, until[x.Device])
		}
		until[x.Device] = x.End
		if budget := p.Spec().Budget(x.Device); x.Bytes > budget || x.Bytes <= 0 {
			t.Fatalf("device %d holds %d bytes of %d", x.Device, x.Bytes, budget)
		}
	}
	for d, end := range until {
		if end < s.of(edgeshard.Token).last() {
			t.Fatalf("memory of device %d told until %v of %v", d, end, s.makespan())
		}
	}
}

func (s spans) last() time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s.makespan()
}
