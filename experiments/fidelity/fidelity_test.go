package fidelity

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

const small = `repeats = 3
visits = 4
[[model]]
name = "demo"
shape = "demo"
precision = "f16"
batches = [1]
prompts = [8]
tokens = 4

[[job]]
name = "two"
model = "demo"
slowdowns = [4, 2]
bandwidth = "100Mbps"
latency = "1ms"
schedule = "sequential"
batch = 1
micro_batch = 1
prompt = 8
tokens = 4
requests = 2
plans = ["exact", "even", "slow"]
`

// slower is a bench whose machine takes a tenth longer than its profile says, half
// a per cent more or less at each visit.
func slower(runs *int) *Bench {
	return &Bench{
		Visit: func(_ context.Context, _ *Model, _ string, base *edgeshard.Profile) (*edgeshard.Profile, error) {
			p := &edgeshard.Profile{
				Units: 10, Origin: edgeshard.Origin{Precision: "f16"},
				Rounds: []edgeshard.Round{{Visit: 1, Date: time.Now().UTC().Format(time.RFC3339), Blocks: 8}},
			}
			factor := []float64{0.995, 1.005}[base.Visits()%2]
			for _, tokens := range []int{1, 8} {
				p.Points = append(p.Points, edgeshard.Point{To: 1, Batch: 1, Tokens: tokens, Raw: []float64{0}})
				for _, past := range []int{0, 16} {
					ms := factor * float64(tokens) * (1 + float64(past)/16)
					p.Points = append(p.Points, edgeshard.Point{From: 1, To: 10, Batch: 1, Tokens: tokens, Past: past, Raw: []float64{ms}})
				}
			}
			p.Sum()
			if base == nil {
				return p, nil
			}
			return base, base.Add(p, false)
		},
		Run: func(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error {
			*runs++
			costs, err := p.Costs()
			if err != nil {
				return err
			}
			return (&sim.Runner{Costs: tenth{costs}}).Run(ctx, p, obs)
		},
		Bandwidth: func() (float64, error) { return 30e9, nil },
		Progress:  func(string, ...any) {},
	}
}

// tenth are costs a tenth above others.
type tenth struct{ edgeshard.Costs }

func (t tenth) Compute(device, unit int, p models.Pass) time.Duration {
	return t.Costs.Compute(device, unit, p) * 11 / 10
}

func (t tenth) Transfer(from, to int, bytes int64) edgeshard.Transfer {
	x := t.Costs.Transfer(from, to, bytes)
	return edgeshard.Transfer{Occupancy: x.Occupancy * 11 / 10, Latency: x.Latency * 11 / 10}
}

func experiment(t *testing.T, text string, runs *int) *Experiment {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "spec.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	spec, err := ReadSpec(file)
	if err != nil {
		t.Fatal(err)
	}
	e := &Experiment{Spec: spec, Bench: slower(runs), Dir: dir, Weights: dir}
	if done, err := e.Profile(t.Context(), time.Now().Add(-time.Second)); done || err != nil {
		t.Fatalf("with no time left: %t, %v", done, err)
	}
	if done, err := e.Profile(t.Context(), time.Now().Add(time.Hour)); !done || err != nil {
		t.Fatalf("visits: %t, %v", done, err)
	}
	if err := e.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// A machine a tenth slower than its profile is off by a tenth in every metric of
// time, outside of bands of 1 %, and the plans still rank right.
func TestExperiment(t *testing.T) {
	runs := 0
	e := experiment(t, small, &runs)
	all := regexp.MustCompile("")
	if done, err := e.Measure(t.Context(), all, time.Now().Add(-time.Second)); done || err != nil || runs != 0 {
		t.Fatalf("with no time left: %t, %v, %d runs", done, err, runs)
	}
	if done, err := e.Measure(t.Context(), regexp.MustCompile("/even"), time.Now().Add(time.Hour)); !done || err != nil || runs != 3 {
		t.Fatalf("one plan: %t, %v, %d runs, want 3", done, err, runs)
	}
	for range 2 { // the second time there is nothing left to do
		if done, err := e.Measure(t.Context(), all, time.Now().Add(time.Hour)); !done || err != nil || runs != 9 {
			t.Fatalf("all plans: %t, %v, %d runs, want 9", done, err, runs)
		}
	}
	r, err := e.Result(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Configurations != 3 || r.Runs != 9 || r.Ranking.Accuracy != 1 || r.Ranking.Pairs == 0 {
		t.Errorf("result %+v", r)
	}
	checkErrors(t, r)
	files, err := e.Write(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
	if !strings.Contains(r.Table(), "| two/slow | 2 |") {
		t.Errorf("table:\n%s", r.Table())
	}
}

// checkErrors: all but memory is off by the tenth that the bench adds, without noise.
func checkErrors(t *testing.T, r *Result) {
	t.Helper()
	for _, metric := range []string{"tpot", "ttft", "throughput", "makespan"} {
		want := 1 - 1/1.1
		if metric == "throughput" {
			want = 0.1
		}
		if got := r.MAPE[metric]; math.Abs(got-want) > 1e-3 || r.Coverage[metric] != 0 || r.Noise[metric] > 1e-9 {
			t.Errorf("%s: error %g, want %g; coverage %g, noise %g: want none", metric, got, want, r.Coverage[metric], r.Noise[metric])
		}
	}
	for _, m := range metrics {
		if got := r.BesideDrift[m.name]; !(got <= r.MAPE[m.name]) {
			t.Errorf("%s: error %g beside the drift, %g with it", m.name, got, r.MAPE[m.name])
		}
	}
	if got := r.MAPE["memory"]; got > 1e-9 {
		t.Errorf("memory is off by %g", got)
	}
}

// Cuts cover the model, and give every device a unit.
func TestCuts(t *testing.T) {
	for _, slowdowns := range [][]float64{{1}, {4, 2}, {1, 100, 1}, {2, 3, 4, 5, 6, 7}} {
		for _, name := range []string{"even", "fast", "slow"} {
			next := 0
			for _, s := range cutOf(name, &Job{Slowdowns: slowdowns}, 10) {
				if s.From != next || s.To <= s.From {
					t.Errorf("%s of %v: stage %+v after unit %d", name, slowdowns, s, next)
				}
				next = s.To
			}
			if next != 10 {
				t.Errorf("%s of %v: ends at unit %d", name, slowdowns, next)
			}
		}
	}
}

func TestSpecFaults(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`model = "demo"`, `model = "none"`, `job two: model is "none": there is none of that name`},
		{"[4, 2]", "[0.5, 2]", "job two: slowdown is 0.5: want 1 or more"},
		{`"slow"]`, `"best"]`, `job two: plan is "best": want one of [exact even fast slow]`},
		{`precision = "f16"`, `precision = "f15"`, `model "demo": want a name`},
		{"visits = 4", "visits = 0", "0 visits, 0s apart"},
		{"repeats = 3", "repeats = 0", "0 repeats of 1 jobs"},
		{"schedule", "schedul", "did you mean schedule?"},
	} {
		file := filepath.Join(t.TempDir(), "f.toml")
		if err := os.WriteFile(file, []byte(strings.Replace(small, c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSpec(file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s → %s: %v, want %s", c.old, c.new, err, c.want)
		}
	}
}

// The specification of the results is read, and has enough configurations.
func TestSpec(t *testing.T) {
	s, err := ReadSpec("fidelity.toml")
	if err != nil {
		t.Fatal(err)
	}
	plans := 0
	for _, j := range s.Jobs {
		plans += len(j.Plans)
	}
	if plans < 36 || s.Repeats < 5 {
		t.Errorf("%d plans, %d repeats: want 36 and 5 at least", plans, s.Repeats)
	}
}

// The next visit is not before its time, and of all models that have had the fewest.
func TestVisits(t *testing.T) {
	at := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	visited := func(n int) *edgeshard.Profile {
		p := &edgeshard.Profile{Origin: edgeshard.Origin{Date: at.Format(time.RFC3339)}}
		for i := range n {
			p.Rounds = append(p.Rounds, edgeshard.Round{Visit: i + 1})
		}
		return p
	}
	e := &Experiment{Spec: &Spec{Visits: 3, Apart: topologies.Duration(5 * time.Minute), Models: []Model{{Name: "a"}, {Name: "b"}}}}
	for _, c := range []struct {
		a, b *edgeshard.Profile
		want []string
		next time.Time
	}{
		{nil, nil, []string{"a", "b"}, time.Time{}},
		{visited(1), nil, []string{"b"}, time.Time{}},
		{visited(2), visited(2), []string{"a", "b"}, at.Add(5 * time.Minute)},
		{visited(3), visited(2), []string{"b"}, at.Add(5 * time.Minute)},
		{visited(3), visited(4), nil, time.Time{}},
	} {
		models, next := e.lacking(map[string]*edgeshard.Profile{"a": c.a, "b": c.b})
		var names []string
		for _, m := range models {
			names = append(names, m.Name)
		}
		if !slices.Equal(names, c.want) || c.want != nil && !next.Equal(c.next) {
			t.Errorf("%d and %d visits: %v from %s, want %v from %s", c.a.Visits(), c.b.Visits(), names, next, c.want, c.next)
		}
	}
}

// Pairs count that differ by more than the noise of their job's plans.
func TestRank(t *testing.T) {
	outcome := func(name string, measured, noise, predicted float64) Outcome {
		o := Outcome{Name: name, Measured: map[string]float64{}, Noise: map[string]float64{}, Predicted: map[string]float64{}}
		for _, m := range metrics {
			o.Measured[m.field], o.Noise[m.field], o.Predicted[m.field] = measured, noise, predicted
		}
		return o
	}
	r := &Result{Each: []Outcome{
		outcome("j/a", 100, 0.05, 90), outcome("j/b", 105, 0, 80), outcome("j/c", 120, 0, 95), outcome("k/a", 1, 0, 1),
	}}
	r.rank(map[string]string{"j/a": "j", "j/b": "j", "j/c": "j", "k/a": "k"})
	n := len(metrics)
	// The job's noise is 2.9 %: a and b differ by 5 % of 4.2, c is above both.
	if g := r.Ranking; g.Pairs != 3*n || g.Right != 2*n || g.Alike != 0 || len(g.Wrong) != n ||
		g.Wrong[0] != "tpot: j/b is +5.0 % off j/a, predicted -11.1 %" {
		t.Errorf("%+v", g)
	}
	r.Each[0].Noise["tpot_ms.mean"] = 0.07
	if r.rank(map[string]string{"j/a": "j", "j/b": "j", "j/c": "j"}); r.Ranking.Alike != 1 {
		t.Errorf("with more noise: %+v", r.Ranking)
	}
}
