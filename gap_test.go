package edgeshard_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// relay returns a plan over three devices and back, and its simulated report.
func relay(t *testing.T, change func(*edgeshard.Plan)) *edgeshard.Report {
	t.Helper()
	box := topologies.Device{Memory: 1 << 33, FLOPS: 1e11, MemoryBandwidth: 1e10, Slowdown: 1}
	var devices []topologies.Device
	for _, name := range []string{"a", "b", "c"} {
		box.Name = name
		devices = append(devices, box)
	}
	link := topologies.Link{Bandwidth: 1e8, Latency: time.Millisecond}
	top, err := topologies.New("relay", devices, 0, func(int, int) topologies.Link { return link })
	if err != nil {
		t.Fatal(err)
	}
	config, _ := models.Builtin("demo")
	p := &edgeshard.Plan{Topology: top, Workload: edgeshard.DefaultWorkload(), Model: edgeshard.ModelRef{Ref: "demo", Config: config}}
	p.Stages = []edgeshard.Stage{
		{Name: "a", To: 3}, {Name: "b", Device: 1, From: 3, To: 6}, {Name: "c", Device: 2, From: 6, To: config.Units()},
	}
	if change != nil {
		change(p)
	}
	rec := edgeshard.NewRecorder(p)
	if err := new(sim.Runner).Run(t.Context(), p, rec); err != nil {
		t.Fatal(err)
	}
	return rec.Report("sim")
}

// TestPathAddsUp: the parts of a pass's way are the whole of its time.
func TestPathAddsUp(t *testing.T) {
	r := relay(t, nil)
	var first, later float64
	for _, p := range r.Path {
		first += p.PrefillMS
		later += p.DecodeMS
	}
	if math.Abs(first-r.TTFT.Mean) > 1e-6 || math.Abs(later-r.TPOT.Mean) > 1e-6 {
		t.Errorf("parts add up to %g and %g ms: want TTFT %g, TPOT %g", first, later, r.TTFT.Mean, r.TPOT.Mean)
	}
}

// TestGaps: what was changed is what the gap comes from.
func TestGaps(t *testing.T) {
	plain := relay(t, nil)
	for name, c := range map[string]struct {
		change func(*edgeshard.Plan)
		part   edgeshard.Part
		where  string
	}{
		"a slow device": {func(p *edgeshard.Plan) { p.Topology.Devices[1].Slowdown = 4 }, edgeshard.Computing, "stage 1 on b"},
		"a long queue":  {func(p *edgeshard.Plan) { p.Workload.Requests = 8 }, edgeshard.Queueing, "before the first pass"},
	} {
		gaps := edgeshard.Gaps(plain, relay(t, c.change))
		if g := gaps[0]; g.Part != c.part || g.Where != c.where || g.Gap >= 0 || g.Share < 0.9 {
			t.Errorf("%s: the largest gap is %+v", name, g)
		}
	}
	if g := edgeshard.Gaps(plain, plain); g[0].Gap != 0 || g[0].Share != 0 {
		t.Errorf("a report and itself: %+v", g[0])
	}
}

func TestTolerance(t *testing.T) {
	got, err := edgeshard.ParseTolerance([]string{"10%", "tpot=2.5%"})
	want := edgeshard.Tolerance{"ttft": 0.1, "tpot": 0.025, "throughput": 0.1, "makespan": 0.1, "memory": 0.1}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{"10": "want a share", "x=1%": "want one of ttft", "tpot=": "want a share", "NaN%": "want a share", "-1%": "want a share"} {
		if _, err := edgeshard.ParseTolerance([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestJudge(t *testing.T) {
	most := edgeshard.Tolerance{"tpot": 0.1, "memory": 0.05}
	for name, c := range map[string]struct {
		change func(*edgeshard.Report)
		want   string // "" is fine
	}{
		"equal":          {func(*edgeshard.Report) {}, ""},
		"within":         {func(r *edgeshard.Report) { r.TPOT.Mean *= 1.05 }, ""},
		"beyond":         {func(r *edgeshard.Report) { r.TPOT.Mean *= 1.2 }, "tpot_ms.mean is off by -16.7 %: 10 % allowed"},
		"not asked for":  {func(r *edgeshard.Report) { r.TTFT.Mean *= 3 }, ""},
		"memory":         {func(r *edgeshard.Report) { r.Devices[1].Memory *= 2 }, "devices.b.memory_bytes is off"},
		"a request less": {func(r *edgeshard.Report) { r.Requests-- }, "requests: 1 and 0"},
		"no memory":      {func(r *edgeshard.Report) { r.OOM = append(r.OOM, edgeshard.OOMReport{}) }, "oom: 0 and 1"},
		"nothing":        {func(r *edgeshard.Report) { r.TPOT.Mean = 0 }, "where the other has none"},
	} {
		a, b := relay(t, nil), relay(t, nil)
		c.change(b)
		v := edgeshard.Judge(edgeshard.Compare(a, b), most)
		if text := strings.Join(v.Beyond, "; "); v.OK != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: %+v, want %q", name, v, c.want)
		}
	}
}
