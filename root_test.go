package edgeshard

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// The occupancy of a link is exact for sizes and speeds of any order.
func TestOccupancy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.Int64Range(0, 1<<50).Draw(t, "bytes")
		bps := rapid.Int64Range(1, 1<<50).Draw(t, "bandwidth")
		n := new(big.Int).Mul(big.NewInt(bytes), big.NewInt(8e9))
		n.Add(n, big.NewInt(bps-1)).Div(n, big.NewInt(bps))
		got := occupancy(bytes, topologies.BitRate(bps))
		if n.IsInt64() && n.Int64() < int64(1)<<61 && got != time.Duration(n.Int64()) {
			t.Fatalf("occupancy(%d, %d) = %d, want %d", bytes, bps, got, n)
		}
	})
}

// Points of a profile: at them the time is the measured one, between them linear,
// and past the measured rows and positions it grows with them.
func TestProfileInterpolation(t *testing.T) {
	p := &Profile{Name: "p", Model: "m", Units: 3, Points: []Point{
		{From: 0, To: 3, Batch: 1, Tokens: 1, Past: 0, MS: 2},
		{From: 0, To: 3, Batch: 1, Tokens: 1, Past: 100, MS: 4},
		{From: 0, To: 3, Batch: 4, Tokens: 1, Past: 0, MS: 8},
		{From: 0, To: 3, Batch: 1, Tokens: 8, Past: 0, MS: 16},
	}}
	cfg := models.Config{Name: "m", Vocab: 8, Dim: 8, Hidden: 8, Layers: 1, Heads: 2, KVHeads: 1, Context: 64, NormEps: 1e-5, RopeTheta: 1e4}
	timer, err := p.timer(cfg, &roofline{model: cfg, device: &topologies.Device{FLOPS: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pass models.Pass
		ms   float64
	}{
		{models.Pass{Batch: 1, Tokens: 1}, 2},
		{models.Pass{Batch: 1, Tokens: 1, Past: 50}, 3},
		{models.Pass{Batch: 1, Tokens: 1, Past: 100}, 4},
		{models.Pass{Batch: 1, Tokens: 1, Past: 900}, 20},
		{models.Pass{Batch: 1, Tokens: 3}, 6},
		{models.Pass{Batch: 2, Tokens: 1}, 4},
		{models.Pass{Batch: 4, Tokens: 1}, 8},
		{models.Pass{Batch: 6, Tokens: 1}, 12},
		{models.Pass{Batch: 1, Tokens: 8}, 16},
		{models.Pass{Batch: 2, Tokens: 8}, 32},
	} {
		if got := timer.seconds(1, c.pass) * 1e3; got < c.ms-1e-9 || got > c.ms+1e-9 {
			t.Errorf("%+v takes %g ms, want %g", c.pass, got, c.ms)
		}
	}
}

func TestProfileValidate(t *testing.T) {
	good := Point{From: 0, To: 2, Batch: 1, Tokens: 1, MS: 1}
	for _, c := range []struct {
		name   string
		units  int
		points []Point
		want   string
	}{
		{"fine", 2, []Point{good}, ""},
		{"a unit without a point", 3, []Point{good}, "no point measures unit 2 of 3"},
		{"no units", 0, nil, "no point measures unit 0 of 0"},
		{"beyond the units", 1, []Point{good}, "points[0]: units [0, 2) are not within [0, 1)"},
		{"negative time", 2, []Point{{From: 0, To: 2, Batch: 1, Tokens: 1, MS: -1}}, "ms of 0 or more"},
	} {
		p := &Profile{Name: "p", Units: c.units, Points: c.points}
		err := p.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWorkloadValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Workload)
		want string
	}{
		{"fine", func(*Workload) {}, ""},
		{"no tokens", func(w *Workload) { w.Tokens = 0 }, "tokens is 0: want 1 to"},
		{"micro-batch above batch", func(w *Workload) { w.MicroBatch = 2 }, "micro_batch is 2: want 1 to 1"},
		{"schedule", func(w *Workload) { w.Schedule = "fast" }, `schedule is "fast": want sequential, bubbles or no-bubbles`},
		{"return", func(w *Workload) { w.Return = "" }, `return is ""`},
		{"rate", func(w *Workload) { w.Rate = -1 }, "rate_per_s is -1"},
		{"temperature", func(w *Workload) { w.Temperature = -1 }, "temperature is -1"},
		{"prompts", func(w *Workload) { w.Prompts = []string{"a", "b"} }, "2 prompts for 1 requests"},
		{"lengths", func(w *Workload) { w.Prompts, w.PromptLengths = []string{"a"}, []int{33} }, "prompt_lengths[0] is 33"},
	} {
		w := DefaultWorkload()
		c.edit(&w)
		err := w.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestArrivals(t *testing.T) {
	w := DefaultWorkload()
	w.Requests, w.Rate, w.Seed = 20000, 50, 7
	a, b := w.Arrivals(), w.Arrivals()
	if !cmp.Equal(a, b) {
		t.Error("two calls differ")
	}
	if mean := a[len(a)-1].Arrival.Seconds() / float64(len(a)); mean < 0.019 || mean > 0.021 {
		t.Errorf("mean time between arrivals is %g s, want 0.02", mean)
	}
	for i := 1; i < len(a); i++ {
		if a[i].Arrival < a[i-1].Arrival || a[i].ID != i {
			t.Fatalf("request %d is out of order", i)
		}
	}
}

func TestDistribution(t *testing.T) {
	var values []float64
	for i := 100; i >= 1; i-- {
		values = append(values, float64(i))
	}
	want := Distribution{Mean: 50.5, P50: 50, P90: 90, P99: 99, Max: 100}
	if diff := cmp.Diff(want, distribution(values)); diff != "" {
		t.Error(diff)
	}
	if got := distribution([]float64{3}); got != (Distribution{3, 3, 3, 3, 3}) {
		t.Errorf("of one value: %+v", got)
	}
}

func TestCompare(t *testing.T) {
	a := &Report{Throughput: 110, Devices: []DeviceReport{{Name: "x", Memory: 90}}}
	b := &Report{Throughput: 100, Devices: []DeviceReport{{Name: "x", Memory: 100}, {Name: "y", Passes: 3}}}
	got := make(map[string]Difference)
	for _, d := range Compare(a, b) {
		got[d.Field] = d
	}
	for field, want := range map[string]float64{"throughput_tokens_per_s": 0.1, "devices.x.memory_bytes": -0.1, "devices.y.passes": -1, "makespan_s": 0} {
		if d := got[field]; !d.Defined || d.Error < want-1e-12 || d.Error > want+1e-12 {
			t.Errorf("%s: %+v, want error %g", field, d, want)
		}
	}
	if d := Compare(&Report{MakespanS: 1}, &Report{}); d[7].Field != "makespan_s" || d[7].Defined {
		t.Errorf("against zero: %+v", d[7])
	}
}

func TestMicros(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 1: "0.001", 1500: "1.500", 2000: "2", -1: "-0.001", -40_657_123: "-40657.123", -1000: "-1",
	} {
		if got := string(micros(nil, d)); got != want {
			t.Errorf("%d ns is %s µs, want %s", d, got, want)
		}
	}
}
