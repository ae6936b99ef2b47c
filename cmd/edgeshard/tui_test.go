package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
	"github.com/edgeshard/edgeshard/tui"
)

// question asks about a built-in topology and model.
func question(t testing.TB, topology, model string) *tui.Question {
	t.Helper()
	q := &tui.Question{Workload: edgeshard.DefaultWorkload(), Objective: edgeshard.Latency, Solver: solver.Exact, File: topology}
	var err error
	if q.Topology, err = topologies.Load(topology); err != nil {
		t.Fatal(err)
	}
	if q.Model, err = tuiModel(model); err != nil {
		t.Fatal(err)
	}
	return q
}

// TestCommandLine: what is copied as a command plans what the screen plans.
func TestCommandLine(t *testing.T) {
	questions := []*tui.Question{question(t, "edgeshard-testbed", "llama2-7b"), question(t, "home-lab", "llama2-13b"), question(t, "local-3", "demo")}
	questions[1].Model.Precision = 3
	questions[1].Off = []string{"jetson"}
	questions[0].Objective = edgeshard.Throughput
	questions[0].Workload.Batch, questions[0].Workload.MicroBatch, questions[0].Workload.Requests = 4, 2, 8
	questions[0].Private, questions[0].Tail = 2, 1
	questions[0].Pins = map[int]string{5: "agx-3", 4: "agx-3"}
	for _, q := range questions {
		line := commandLine(q)
		want, err := (&planner{}).plan(t.Context(), q)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		file := filepath.Join(t.TempDir(), "plan.json")
		a := &app{out: new(strings.Builder), err: new(strings.Builder)}
		root := a.root()
		root.SetArgs(append(strings.Fields(line)[1:], "-o", file))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got, err := readPlan(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Stages, got.Stages); diff != "" || got.ObjectiveMS != want.ObjectiveMS {
			t.Errorf("%s: objective %g: want %g; stages (−want +got):\n%s", line, got.ObjectiveMS, want.ObjectiveMS, diff)
		}
	}
	q := question(t, "local-3", "demo")
	q.Workload.Prompts, q.Edited = []string{"it's"}, true
	if got := commandLine(q); !strings.Contains(got, `--prompt 'it'\''s'`) || !strings.Contains(got, "# save the topology as local-3.toml first") {
		t.Error(got)
	}
}

func writeJSON(t *testing.T, file string, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestOpenForTUI reads everything the screen writes, and says what is wrong with
// what it cannot read.
func TestOpenForTUI(t *testing.T) {
	q := question(t, "home-lab", "llama2-7b")
	plan, err := (&planner{}).plan(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, v any) string { return writeJSON(t, filepath.Join(dir, name), v) }
	o, err := openForTUI(write("plan.json", plan), question(t, "local-3", "demo"))
	if err != nil || !o.Question.Topology.Equal(q.Topology) || o.Question.Model != q.Model {
		t.Errorf("plan: %+v, %v", o, err)
	}
	o, err = openForTUI(write("set.json", tui.SetFile{Question: q, Entries: []tui.Entry{{Name: "a", Question: *q}}}), q)
	if err != nil || len(o.Entries) != 1 || o.Question == nil {
		t.Errorf("set: %+v, %v", o, err)
	}
	o, err = openForTUI(write("report.json", edgeshard.Report{Backend: "sim"}), q)
	if err != nil || o.Report == nil || o.Question != nil {
		t.Errorf("report: %+v, %v", o, err)
	}
	results := filepath.Join(dir, "results.csv")
	if err := os.WriteFile(results, []byte("point,tpot_ms\n0,1.5\n1,\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o, err = openForTUI(results, q)
	if want := (&tui.Table{Columns: []string{"point", "tpot_ms"}, Rows: [][]string{{"0", "1.5"}, {"1", ""}}}); err != nil || !cmp.Equal(o.Table, want) {
		t.Errorf("results: %+v, %v", o, err)
	}
	for name, want := range map[string]string{write("other.json", 3): "other.json", write("none.json", map[string]int{}): "expected a plan", filepath.Join(dir, "gone.toml"): "gone.toml"} {
		if _, err := openForTUI(name, q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v: want one with %q", name, err, want)
		}
	}
}

// TestExplain: for each kind of subject there is something to say.
func TestExplain(t *testing.T) {
	q := question(t, "local-3", "demo")
	p := &planner{}
	none := tui.Subject{Device: -1, From: -1, To: -1, Unit: -1}
	used, other, link, unit, first := none, none, none, none, none
	used.Device, other.Device, link.From, link.To, unit.Unit, first.Unit = 0, 2, 0, 1, 5, 0
	for _, c := range []struct {
		subject tui.Subject
		want    string
	}{
		{used, "It runs units"}, {other, "desktop"}, {link, "link phone to laptop"}, {unit, "Unit 5 is on "}, {first, "must be at the source"},
	} {
		var lines []string
		err := p.explain(t.Context(), q, c.subject, func(all []string) { lines = all })
		if text := strings.Join(lines, "\n"); err != nil || !strings.Contains(text, c.want) {
			t.Errorf("%+v: %v: want %q in\n%s", c.subject, err, c.want, text)
		}
	}
	if got, want := unusedText(solver.Unused{Reason: "memory"}), "no plan that uses it fits, for want of memory"; !strings.Contains(got, want) {
		t.Errorf("%q: want %q", got, want)
	}
	if got, want := unusedText(solver.Unused{Possible: true, CostMS: 130, Reason: "links", SavedMS: 120}), "130 ms slower, mostly by its links"; !strings.Contains(got, want) {
		t.Errorf("%q: want %q", got, want)
	}
}

// TestFront: along the front requests get slower and throughput higher.
func TestFront(t *testing.T) {
	q := question(t, "edgeshard-testbed", "llama2-7b")
	q.Workload.Batch, q.Workload.Requests = 4, 4
	plans, err := (&planner{}).front(t.Context(), q)
	if err != nil || len(plans) < 2 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	for i := 1; i < len(plans); i++ {
		a, b := plans[i-1], plans[i]
		if b.ObjectiveMS <= a.ObjectiveMS || b.Predicted.Throughput <= a.Predicted.Throughput {
			t.Errorf("plan %d: request %g → %g ms, %g → %g tokens/s", i, a.ObjectiveMS, b.ObjectiveMS, a.Predicted.Throughput, b.Predicted.Throughput)
		}
	}
}

// BenchmarkWhatIf is what a turn of a slider on the paper's testbed takes until
// plan and simulation are there, for each model: a device's memory, another's
// speed, a link's bandwidth and its latency in turn. Its own figures are
// percentiles.
func BenchmarkWhatIf(b *testing.B) {
	for _, model := range []string{"llama2-7b", "llama2-13b", "llama2-70b"} {
		b.Run(model, func(b *testing.B) {
			q := question(b, "edgeshard-testbed", model)
			p := &planner{}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				next := turned(b, q, i)
				start := time.Now()
				plan, err := p.plan(context.Background(), next)
				if err != nil {
					b.Fatal(err)
				}
				if err := (&sim.Runner{}).Run(context.Background(), plan, edgeshard.NewRecorder(plan)); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(edgeshard.Milliseconds(took[len(took)/2]), "p50-ms")
			b.ReportMetric(edgeshard.Milliseconds(took[len(took)*95/100]), "p95-ms")
		})
	}
}

// turned returns the question with the i-th turn of a slider.
func turned(t testing.TB, q *tui.Question, i int) *tui.Question {
	top, by := q.Topology, i/4%16
	d, cloud := top.Devices[0], top.Cloud
	var err error
	switch i % 4 {
	case 0:
		d.Usable -= topologies.Bytes(by) << 28
		top, err = top.WithDevice(0, d)
	case 1:
		d = top.Devices[cloud]
		d.Slowdown = 1 + float64(by)/16
		top, err = top.WithDevice(cloud, d)
	case 2:
		l := top.Link(0, cloud)
		l.Bandwidth += topologies.BitRate(by) * 1_000_000
		top, err = top.WithLink(0, cloud, l)
	case 3:
		l := top.Link(1, cloud)
		l.Latency += time.Duration(by) * time.Millisecond
		top, err = top.WithLink(1, cloud, l)
	}
	if err != nil {
		t.Fatal(err)
	}
	next := *q
	next.Topology = top
	return &next
}
