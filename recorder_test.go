package edgeshard_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/edgeshard/edgeshard"
)

func same(v float64) edgeshard.Distribution {
	return edgeshard.Distribution{Mean: v, P50: v, P90: v, P99: v, Max: v}
}

// TestReportByHand works out every field of the report of a few spans.
func TestReportByHand(t *testing.T) {
	p, spans := twoDevices()
	want := &edgeshard.Report{
		Backend: "sim", Requests: 1, Tokens: 2,
		TTFT: same(40), TPOT: same(40), Latency: same(80), Queue: same(2), InSystem: 80.0 / 83,
		Throughput: 2 / 0.083, MakespanS: 0.083,
		Devices: []edgeshard.DeviceReport{
			{Name: "near", Passes: 2, BusyS: 0.03, Utilisation: 0.03 / 0.083, BubbleShare: 28.0 / 58},
			{Name: `"far"`, Passes: 1, BusyS: 0.019999993, Utilisation: 0.019999993 / 0.083, Memory: 1000, LoadMS: 2},
		},
		Links: []edgeshard.LinkReport{
			{From: "near", To: `"far"`, Messages: 1, Bytes: 64, BusyS: 0.005, Utilisation: 0.005 / 0.083},
			{From: `"far"`, To: "near", Messages: 1, Bytes: 4},
		},
		OOM: []edgeshard.OOMReport{{Device: `"far"`, Request: 1, AtS: 0.005, Missing: 55}},
		Path: []edgeshard.PathReport{
			{Part: edgeshard.Computing, From: "near", PrefillMS: 10, DecodeMS: 20},
			{Part: edgeshard.Sending, Stage: 1, From: "near", To: `"far"`, PrefillMS: 7.000007},
			{Part: edgeshard.Computing, Stage: 1, From: `"far"`, PrefillMS: 19.999993},
			{Part: edgeshard.Returning, Stage: -1, From: `"far"`, To: "near", PrefillMS: 1},
		},
	}
	if diff := cmp.Diff(want, edgeshard.NewReport("sim", p, spans), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Error(diff)
	}
}

// TestReportOfNothing: no span, no NaN.
func TestReportOfNothing(t *testing.T) {
	p, _ := twoDevices()
	if diff := cmp.Diff(&edgeshard.Report{Backend: "sim", OOM: []edgeshard.OOMReport{}}, edgeshard.NewReport("sim", p, nil)); diff != "" {
		t.Error(diff)
	}
}

// TestPercentiles: by nearest rank, over 200 requests that take 1 to 200 ms.
func TestPercentiles(t *testing.T) {
	p, _ := twoDevices()
	var spans []edgeshard.Span
	for i := range 200 {
		end := time.Duration((i*77)%200+1) * time.Millisecond
		spans = append(spans, edgeshard.Span{What: edgeshard.Token, Request: i, Stage: -1, Device: -1, To: -1, End: end})
	}
	got := edgeshard.NewReport("sim", p, spans)
	if want := (edgeshard.Distribution{Mean: 100.5, P50: 100, P90: 180, P99: 198, Max: 200}); got.TTFT != want {
		t.Errorf("TTFT %+v, want %+v", got.TTFT, want)
	}
	if got.TPOT != (edgeshard.Distribution{}) || got.InSystem != 100.5 {
		t.Errorf("TPOT %+v and %g in the system, want none and 100.5", got.TPOT, got.InSystem)
	}
}

func TestOutputsInOrder(t *testing.T) {
	p, _ := twoDevices()
	r := edgeshard.NewRecorder(p)
	r.Text(1, 7, "a")
	r.Text(0, 8, "b")
	r.Text(1, 9, "c")
	want := []edgeshard.Output{{Request: 0, Text: "b", Tokens: []int{8}}, {Request: 1, Text: "ac", Tokens: []int{7, 9}}}
	if diff := cmp.Diff(want, r.Report("exec").Outputs); diff != "" {
		t.Error(diff)
	}
}

// TestRecorderAllocates once for what it has not seen, and never again.
func TestRecorderAllocates(t *testing.T) {
	p, spans := twoDevices()
	r := edgeshard.NewRecorder(p)
	for i := range spans {
		if spans[i].What == edgeshard.OOM {
			spans[i] = edgeshard.Span{What: edgeshard.Queue}
		}
		r.Span(spans[i])
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, s := range spans {
			r.Span(s)
		}
	}); n > 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
