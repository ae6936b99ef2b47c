package edgeshard

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// demoPlan returns a plan of the demo model with a stage on each device of local-3.
func demoPlan(t testing.TB) *Plan {
	t.Helper()
	top, err := topologies.Load("local-3")
	if err != nil {
		t.Fatal(err)
	}
	cfg, _ := models.Builtin(models.Demo)
	p := &Plan{
		Model:    ModelRef{Ref: models.Demo, Precision: models.F16, Config: cfg},
		Topology: top, Workload: DefaultWorkload(), Objective: Latency,
	}
	for i, cut := range [][2]int{{0, 2}, {2, 5}, {5, 10}} {
		p.Stages = append(p.Stages, Stage{Name: top.Devices[i].Name, Device: i, From: cut[0], To: cut[1]})
	}
	return p
}

func encode(t testing.TB, p *Plan) string {
	t.Helper()
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPlanRoundTrip(t *testing.T) {
	p := demoPlan(t)
	c, err := p.Costs()
	if err != nil {
		t.Fatal(err)
	}
	p.Predict(c)
	back, err := ParsePlan("plan.json", []byte(encode(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	equal := cmp.Comparer(func(a, b *topologies.Topology) bool { return a.Equal(b) })
	if diff := cmp.Diff(p, back, equal); diff != "" {
		t.Error(diff)
	}
}

// badPlans are faults of a plan, in it or in its text.
var badPlans = []struct {
	name string
	edit func(p *Plan)
	text [2]string // replaced in the file
	want string
}{
	{name: "gap", edit: func(p *Plan) { p.Stages[1].From = 3 },
		want: `plan.json: plan: stages[1] on laptop starts at unit 3: units [2, 3) are in no stage`},
	{name: "overlap", edit: func(p *Plan) { p.Stages[1].From = 1 },
		want: `plan.json: plan: stages[1] on laptop starts at unit 1: units before 2 are in an earlier stage`},
	{name: "empty stage", edit: func(p *Plan) { p.Stages[1].To = 2 },
		want: `plan.json: plan: stages[1] on laptop: units [2, 2) are none`},
	{name: "short", edit: func(p *Plan) { p.Stages[2].To = 9 },
		want: `plan.json: plan: stages cover units [0, 9): want all 10 units of the model`},
	{name: "no stages", edit: func(p *Plan) { p.Stages = nil },
		want: `plan.json: plan: stages cover units [0, 0): want all 10 units of the model`},
	{name: "unknown device", edit: func(p *Plan) { p.Stages[1].Name = "tablet" },
		want: `plan.json: plan: stages[1]: unknown device "tablet": topology local-3 has none of that name`},
	{name: "source", edit: func(p *Plan) { p.Stages[0].Name = "desktop" },
		want: `plan.json: plan: stages[0] is on desktop: unit 0 must be at the source, phone`},
	{name: "context", edit: func(p *Plan) { p.Workload.PromptTokens = 300 },
		want: `plan.json: plan: 300 prompt tokens and 96 generated ones exceed the context of demo, 256 positions`},
	{name: "workload", edit: func(p *Plan) { p.Workload.Tokens = 0 },
		want: `plan.json: plan: workload: tokens is 0: want 1 to 1048576`},
	{name: "misspelt key", text: [2]string{`"stages"`, `"stagse"`}, want: `unknown field "stagse"`},
	{name: "wrong type", text: [2]string{`"from": 2`, `"from": "two"`}, want: `cannot unmarshal string into Go struct field`},
	{name: "cut short", text: [2]string{`"objective_ms"`, "\x00"}, want: "invalid character"},
	{name: "no topology", text: [2]string{`"topology": {`, `"profiles": {}, "topology": null, "x": {`}, want: "unknown field"},
}

func TestParsePlanErrors(t *testing.T) {
	for _, c := range badPlans {
		t.Run(c.name, func(t *testing.T) {
			p := demoPlan(t)
			if c.edit != nil {
				c.edit(p)
			}
			data := encode(t, p)
			if c.text[0] != "" {
				data = strings.Replace(data, c.text[0], c.text[1], 1)
			}
			_, err := ParsePlan("plan.json", []byte(data))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "plan.json") {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("error has several lines: %v", err)
			}
		})
	}
}

// The prediction follows the pipelining formulas from loops computed by hand.
func TestPredict(t *testing.T) {
	for _, c := range []struct {
		schedule Schedule
		token    func(s, m time.Duration, k int) time.Duration
	}{
		{Sequential, func(s, _ time.Duration, _ int) time.Duration { return s }},
		{Bubbles, func(s, m time.Duration, k int) time.Duration { return s + time.Duration(k-1)*m }},
		{NoBubbles, func(s, m time.Duration, k int) time.Duration { return max(s, time.Duration(k)*m) }},
	} {
		p := demoPlan(t)
		p.Workload.Requests, p.Workload.Batch, p.Workload.MicroBatch, p.Workload.Schedule = 8, 8, 2, c.schedule
		p.Workload.Tokens = 2
		p.Predict(flat{})
		// Each unit takes 1 ms, a transfer occupies its link for 2 ms and takes 3 more.
		const s, m = 10*time.Millisecond + 3*5*time.Millisecond, 5 * time.Millisecond
		if got, want := p.Predicted.TPOTMS, Milliseconds(c.token(s, m, 4)); got != want {
			t.Errorf("%s: TPOT is %g ms, want %g", c.schedule, got, want)
		}
	}
}

// flat charges the same for every unit and every transfer.
type flat struct{}

func (flat) Stage(int) time.Duration { return 0 }

func (flat) Turn() Turn { return Turn{} }

func (flat) Compute(_, _ int, _ models.Pass) time.Duration { return time.Millisecond }

func (flat) Transfer(from, to int, _ int64) Transfer {
	if from == to {
		return Transfer{}
	}
	return Transfer{Occupancy: 2 * time.Millisecond, Latency: 3 * time.Millisecond}
}

// A plan's memory is what the footprint's parts add up to.
func TestFootprint(t *testing.T) {
	p := demoPlan(t)
	p.Workload.Batch, p.Workload.MicroBatch = 4, 2
	peaks := p.Footprint().Peaks(p.Stages, 3, func(int) int64 { return 1000 })
	cfg := p.Model.Config
	want := 1000 + cfg.WorkspaceBytes(2*32) + 4*4*cfg.KVBytes(1, 128) + cfg.LogitsBytes(2)
	for u := 5; u < 10; u++ {
		want += cfg.WeightBytes(u, models.F16)
	}
	if peaks[2] != want {
		t.Errorf("the last device needs %d bytes, want %d", peaks[2], want)
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add([]byte(encode(f, demoPlan(f))))
	f.Add([]byte(`{"stages":[{"device":"a","from":0,"to":1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePlan("plan.json", data)
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Errorf("a parsed plan is invalid: %v", err)
		}
	})
}
