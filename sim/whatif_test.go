package sim_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// realPlan is a plan of TinyLlama on two devices of data sheets.
func realPlan(t testing.TB) *edgeshard.Plan {
	t.Helper()
	model, _ := models.Builtin("tinyllama-1.1b")
	topo := must(topologies.New("pair", []topologies.Device{
		{Name: "near", Memory: 64 << 30, FLOPS: 1e12, MemoryBandwidth: 5e10, IdlePower: 2, ActivePower: 10},
		{Name: "far", Memory: 64 << 30, FLOPS: 1e13, MemoryBandwidth: 5e11},
	}, 0, func(int, int) topologies.Link {
		return topologies.Link{Bandwidth: 50_000_000, Latency: 2 * time.Millisecond, JoulesPerByte: 1e-7}
	}))
	p := &edgeshard.Plan{Model: edgeshard.ModelRef{Ref: "tinyllama-1.1b", Precision: models.F16, Config: model}, Topology: topo, Workload: edgeshard.DefaultWorkload()}
	p.Stages = []edgeshard.Stage{{Name: "near", From: 0, To: 9}, {Name: "far", Device: 1, From: 9, To: 24}}
	return p
}

// under simulates a plan under a scenario with the plan's own costs.
func under(t testing.TB, p *edgeshard.Plan, scenario string) (spans, *edgeshard.Report) {
	t.Helper()
	s := simulate(t, sim.Runner{Scenario: parse(t, p, scenario)}, p)
	return s, edgeshard.NewReport("sim", p, s)
}

// TestPrecisionOfADevice: a device with other weights takes the time and the
// memory that a plan at that precision takes there.
func TestPrecisionOfADevice(t *testing.T) {
	p := realPlan(t)
	s, rep := under(t, p, "[[device]]\nname=\"near\"\nprecision=\"q4_0\"\nkv_element_bytes=1")
	q := *p
	q.Model.Precision = models.Q4_0
	want, wantRep := under(t, &q, "")
	first := func(s spans) time.Duration { return s.of(edgeshard.Compute)[0].End }
	if first(s) != first(want) {
		t.Errorf("near takes %v at q4_0, want %v", first(s), first(want))
	}
	kv := int64(0)
	for u := range 9 {
		kv += p.Footprint().KV(u)
	}
	if got, want := rep.Devices[0].Memory, wantRep.Devices[0].Memory-kv+kv/4; got != want {
		t.Errorf("near holds %d bytes, want %d", got, want)
	}
	_, plain := under(t, p, "")
	if rep.Devices[1].Memory != plain.Devices[1].Memory {
		t.Errorf("far holds %d bytes, want %d as before", rep.Devices[1].Memory, plain.Devices[1].Memory)
	}
}

// TestCompression: half the bytes go over the links, and both ends take the time
// of the codec.
func TestCompression(t *testing.T) {
	p := realPlan(t)
	plain, _ := under(t, p, "")
	s, _ := under(t, p, "[compression]\nfactor=0.5\nencode=\"1GB/s\"\ndecode=\"2GB/s\"")
	before, after := plain.of(edgeshard.Send)[0], s.of(edgeshard.Send)[0]
	if after.Bytes != before.Bytes/2+1 {
		t.Errorf("%d bytes on the link, want half of %d", after.Bytes, before.Bytes)
	}
	encode := s.of(edgeshard.Compute)[0].End - plain.of(edgeshard.Compute)[0].End
	if want := time.Duration(before.Bytes); encode != want {
		t.Errorf("encoding takes %v, want %v", encode, want)
	}
	length := func(s spans) time.Duration { x := s.of(edgeshard.Compute)[1]; return x.End - x.Start }
	if got, want := length(s)-length(plain), time.Duration(before.Bytes/2); got != want {
		t.Errorf("decoding takes %v, want %v", got, want)
	}
}

// TestSpeculation: with every drafted token accepted a pass yields all of them
// and one; with none, one; in between (1−αᵏ⁺¹)/(1−α) on average.
func TestSpeculation(t *testing.T) {
	p := realPlan(t)
	p.Workload.Tokens = 1500
	p.Model.Config.Context = 4096
	for _, c := range []struct{ text, per string }{{"acceptance=1", "5"}, {"acceptance=0", "1"}, {"acceptance=0.7", "2.773"}} {
		s, rep := under(t, p, "seed=4\n[speculative]\ndraft=\"demo\"\ntokens=4\n"+c.text)
		want := map[string]float64{"5": 5, "1": 1, "2.773": (1 - math.Pow(0.7, 5)) / 0.3}[c.per]
		passes := float64(rep.Devices[1].Passes - 1)
		if got := 1499 / passes; math.Abs(got-want) > 0.15 {
			t.Errorf("%s: %.3f tokens a pass, want %.3f", c.text, got, want)
		}
		for i, x := range s.of(edgeshard.Token) {
			if x.Step != i {
				t.Fatalf("%s: token %d has step %d", c.text, i, x.Step)
			}
		}
	}
	_, plain := under(t, p, "")
	_, drafted := under(t, p, "[speculative]\ndraft=\"demo\"\ntokens=4\nacceptance=0.8")
	if drafted.TPOT.Mean >= plain.TPOT.Mean || drafted.Devices[0].Memory <= plain.Devices[0].Memory {
		t.Errorf("TPOT %g ms with drafts and %g without, near holds %d and %d bytes", drafted.TPOT.Mean, plain.TPOT.Mean, drafted.Devices[0].Memory, plain.Devices[0].Memory)
	}
}

// TestChunks: the parts of a prompt follow on one another, so that the second
// device starts early, and the first token comes sooner.
func TestChunks(t *testing.T) {
	p := realPlan(t)
	p.Workload.PromptTokens, p.Workload.Tokens = 1000, 2
	plain, before := under(t, p, "")
	s, after := under(t, p, "prefill_chunk=256")
	if n := len(s.of(edgeshard.Compute)); n != 2*4+2 {
		t.Errorf("%d stages run, want 4 chunks and a token through 2", n)
	}
	if len(s.of(edgeshard.Token)) != 2 || after.TTFT.Mean >= before.TTFT.Mean {
		t.Errorf("first token after %g ms in chunks, %g at once", after.TTFT.Mean, before.TTFT.Mean)
	}
	bytes := func(s spans) (n int64) {
		for _, x := range s.of(edgeshard.Send) {
			n += x.Bytes
		}
		return n
	}
	if bytes(s) != bytes(plain) {
		t.Errorf("%d bytes in chunks, %d at once", bytes(s), bytes(plain))
	}
}

// TestChunksLetOthersIn: a decode pass that waits behind a long prompt gets in
// between its chunks.
func TestChunksLetOthersIn(t *testing.T) {
	p := realPlan(t)
	p.Workload.SetReplay([]edgeshard.Request{{ID: 0, Prompt: 8, Tokens: 60}, {ID: 1, Arrival: 300 * time.Millisecond, Prompt: 1500, Tokens: 2}})
	p.Workload.Batch, p.Workload.Admission = 2, edgeshard.ContinuousAdmission
	longest := func(scenario string) (gap time.Duration) {
		s, _ := under(t, p, scenario)
		for _, x := range s.of(edgeshard.Token) {
			if x.Request == 0 && x.Step > 0 {
				gap = max(gap, x.End-x.Start)
			}
		}
		return gap
	}
	if plain, chunked := longest(""), longest("prefill_chunk=64"); chunked*3 > plain {
		t.Errorf("the longest wait for a token is %v in chunks and %v at once, want a third or less", chunked, plain)
	}
}

// TestDelivery: requests wait until every device has its weights; what is shared
// or cached does not travel.
func TestDelivery(t *testing.T) {
	p := realPlan(t)
	weights := int64(0)
	for u := 9; u < 24; u++ {
		weights += p.Footprint().Weights(u)
	}
	for name, c := range map[string]struct {
		text  string
		bytes int64
	}{"all": {"[delivery]", weights}, "shared": {"[delivery]\nshared=0.99", int64(float64(weights) * (1 - 0.99))}, "cached": {"[delivery]\ncached=[\"far\"]", 0}} {
		s, rep := under(t, p, c.text)
		_, plain := under(t, p, "")
		bytes, took := int64(0), time.Duration(0)
		for _, x := range s.of(edgeshard.Load) {
			bytes += x.Bytes
			took = x.End
		}
		if bytes != c.bytes {
			t.Errorf("%s: %d bytes delivered, want %d", name, bytes, c.bytes)
		}
		if got := rep.TTFT.Mean - plain.TTFT.Mean - float64(took)/1e6; math.Abs(got) > 1e-6 {
			t.Errorf("%s: the first token is %g ms later than the delivery explains", name, got)
		}
	}
}

// TestEnergy: idle power over the makespan, what active power adds while busy,
// and every byte on a link.
func TestEnergy(t *testing.T) {
	s, rep := under(t, realPlan(t), "")
	bytes := int64(0)
	for _, x := range append(s.of(edgeshard.Send), s.of(edgeshard.Back)...) {
		bytes += x.Bytes
	}
	device := 2*rep.MakespanS + 8*rep.Devices[0].BusyS
	want := device + 1e-7*float64(bytes)
	if math.Abs(rep.EnergyJ-want) > 1e-9 || math.Abs(rep.EnergyPerToken-want/96) > 1e-9 {
		t.Errorf("%g J, %g a token, want %g", rep.EnergyJ, rep.EnergyPerToken, want)
	}
	if math.Abs(rep.Devices[0].EnergyJ-device) > 1e-9 || rep.Devices[1].EnergyJ != 0 {
		t.Errorf("near uses %g J, far %g, want %g and 0", rep.Devices[0].EnergyJ, rep.Devices[1].EnergyJ, device)
	}
}

// TestScenarioOfUnknowns: names that only the simulator can look up.
func TestScenarioOfUnknowns(t *testing.T) {
	for text, want := range map[string]string{
		"[[device]]\nname=\"far\"\nprecision=\"q3\"":             `scenario: device far: unknown precision "q3"`,
		"[[device]]\nname=\"far\"\ntrace=\"x.csv\"":              `scenario: device far: trace "x.csv" gives bandwidths: want factors`,
		"[speculative]\ndraft=\"gpt\"\ntokens=2\nacceptance=0.5": `scenario: speculative: draft is "gpt": want a built-in model`,
	} {
		p := realPlan(t)
		sc := parse(t, p, text)
		sc.AddTrace("x.csv", must(scenarios.ParseTrace("x.csv", strings.NewReader("time_s,bandwidth_mbps\n0,1\n"))))
		err := (&sim.Runner{Scenario: sc}).Run(t.Context(), p, &spans{})
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
