package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
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
	tokens := make(map[int]int)
	last := time.Duration(0)
	for _, x := range s {
		if x.End < last && x.What != edgeshard.Memory || x.Start > x.End {
			t.Fatalf("time runs back: %+v after %v", x, last)
		}
		last = max(last, x.End)
		if x.What == edgeshard.Token {
			if x.Step != tokens[x.Request] {
				t.Fatalf("request %d got token %d after %d tokens", x.Request, x.Step, tokens[x.Request])
			}
			tokens[x.Request]++
		}
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
	passes := make(map[[2]int]int)
	var sent, want int64
	for _, x := range s.of(edgeshard.Compute) {
		key := [2]int{x.MicroBatch, x.Step}
		if x.Stage != passes[key] {
			t.Fatalf("micro-batch %d step %d ran stage %d after %d stages", x.MicroBatch, x.Step, x.Stage, passes[key])
		}
		passes[key]++
	}
	for _, x := range s.of(edgeshard.Back) {
		sent += x.Bytes
	}
	for _, x := range s.of(edgeshard.Send) {
		if want := p.Model.Config.ActivationBytes(models.Pass{Batch: x.Batch, Tokens: 1}); x.Step > 0 && x.Bytes != want {
			t.Fatalf("%d bytes of activations, want %d: %+v", x.Bytes, want, x)
		}
	}
	if p.Stages[len(p.Stages)-1].Device != p.Topology.Source {
		want = int64(len(s.of(edgeshard.Token))) * models.TokenBytes
	}
	if sent != want {
		t.Fatalf("%d bytes returned, want %d", sent, want)
	}
	for key, n := range passes {
		if n != len(p.Stages) {
			t.Fatalf("micro-batch %d step %d ran %d stages of %d", key[0], key[1], n, len(p.Stages))
		}
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

func fixedPlan(requests, batch int) *edgeshard.Plan {
	p := &edgeshard.Plan{
		Model: edgeshard.ModelRef{Ref: "small", Config: smallModel(4)},
		Topology: &topologies.Topology{Name: "two", Devices: []topologies.Device{
			{Name: "near", Memory: 1 << 30}, {Name: "far", Memory: 1 << 30},
		}},
		Workload: edgeshard.DefaultWorkload(),
		Stages:   []edgeshard.Stage{{Name: "near", Device: 0, From: 0, To: 3}, {Name: "far", Device: 1, From: 3, To: 6}},
	}
	p.Workload.Requests, p.Workload.Batch = requests, batch
	p.Workload.PromptTokens, p.Workload.Tokens = 2, 3
	return p
}

func constantCosts() *tableCosts {
	c := &tableCosts{invariant: true}
	for range 2 {
		c.compute = append(c.compute, []time.Duration{1, 2, 2, 2, 2, 1})
		c.transfer = append(c.transfer, []edgeshard.Transfer{{Occupancy: 3, Latency: 2}, {Occupancy: 3, Latency: 2}})
	}
	return c
}

func TestWeightsThatDoNotFit(t *testing.T) {
	p := fixedPlan(2, 1)
	p.Topology.Devices[1].Memory = 1000
	var s spans
	err := (&sim.Runner{Costs: constantCosts()}).Run(context.Background(), p, &s)
	var oom *edgeshard.OutOfMemory
	if !errors.As(err, &oom) || oom.Device != "far" || oom.Budget != 1000 {
		t.Fatalf("error %v, want far's *OutOfMemory", err)
	}
	want := spans{{What: edgeshard.OOM, Request: -1, Stage: -1, Device: 1, To: -1, Bytes: oom.Missing()}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
}

// TestRequestThatDoesNotFit: of a batch of three the budget holds two; the third
// is given up when it is admitted, the others and the next batch go on.
func TestRequestThatDoesNotFit(t *testing.T) {
	p := fixedPlan(6, 3)
	peaks := p.Footprint().Peaks(p.Stages, 2, func(int) int64 { return 0 })
	p.Topology.Devices[1].Usable = topologies.Bytes(peaks[1] - 1)
	s := simulate(t, sim.Runner{Costs: constantCosts()}, p)
	var got []int
	for _, x := range s.of(edgeshard.OOM) {
		got = append(got, x.Request)
		if x.Bytes != 1 || x.Device != 1 {
			t.Errorf("OOM of %d bytes on device %d, want 1 on 1", x.Bytes, x.Device)
		}
	}
	if diff := cmp.Diff([]int{2, 5}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(s.of(edgeshard.Token)); n != 4*3 {
		t.Errorf("%d tokens, want 12", n)
	}
}

// TestNothingFits: every request is given up, and the run ends.
func TestNothingFits(t *testing.T) {
	p := fixedPlan(1000, 1)
	p.Topology.Devices[1].Usable = topologies.Bytes(p.Footprint().Peaks(p.Stages, 2, func(int) int64 { return 0 })[1] - 1)
	s := simulate(t, sim.Runner{Costs: constantCosts()}, p)
	if len(s.of(edgeshard.OOM)) != 1000 || len(s.of(edgeshard.Token)) != 0 {
		t.Errorf("%d given up, %d tokens: want 1000, 0", len(s.of(edgeshard.OOM)), len(s.of(edgeshard.Token)))
	}
}

// stopper cancels a run at its first span.
type stopper struct {
	spans
	cancel context.CancelFunc
}

func (s *stopper) Span(x edgeshard.Span) { s.spans.Span(x); s.cancel() }

func TestCancel(t *testing.T) {
	for _, slow := range []bool{false, true} {
		p := fixedPlan(1_000_000, 1)
		ctx, cancel := context.WithCancel(context.Background())
		s := &stopper{cancel: cancel}
		err := (&sim.Runner{Costs: constantCosts(), SlowPath: slow}).Run(ctx, p, s)
		if !errors.Is(err, context.Canceled) || len(s.spans) > 100_000 {
			t.Errorf("slow path %v: error %v after %d spans, want context canceled soon", slow, err, len(s.spans))
		}
	}
}

func TestRunsWithoutEnd(t *testing.T) {
	p := fixedPlan(100_000_000, 1)
	p.Workload.Tokens = 1000
	var s spans
	err := (&sim.Runner{Costs: constantCosts()}).Run(context.Background(), p, &s)
	if err == nil || !strings.Contains(err.Error(), "1e+11 passes: more than the limit of 1000000000") {
		t.Errorf("100 G passes: error %v", err)
	}
	p = fixedPlan(1, 1)
	c := constantCosts()
	c.transfer[0][1].Occupancy = math.MaxInt64 / 4
	if err = (&sim.Runner{Costs: c}).Run(context.Background(), p, &s); err == nil || !strings.Contains(err.Error(), "50 years") {
		t.Errorf("a message of 73 years: error %v", err)
	}
}

// TestGolden is a small trace, to be read by eye.
func TestGolden(t *testing.T) {
	for name, schedule := range map[string]edgeshard.Schedule{
		"sequential": edgeshard.Sequential, "bubbles": edgeshard.Bubbles, "no-bubbles": edgeshard.NoBubbles,
	} {
		t.Run(name, func(t *testing.T) {
			p := fixedPlan(3, 3)
			p.Workload.Schedule = schedule
			golden(t, name+".jsonl", lines(simulate(t, sim.Runner{Costs: constantCosts()}, p)))
		})
	}
}

func lines(s spans) []byte {
	var out []byte
	for _, x := range s {
		b, err := json.Marshal(x)
		if err != nil {
			panic(err)
		}
		out = append(append(out, b...), '\n')
	}
	return out
}
