package exec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

// splits returns every cut of a model's units in two, some in three, and plans
// with revisits.
func splits(units int) [][]cut {
	var all [][]cut
	for at := 1; at < units; at++ {
		all = append(all, []cut{{0, at}, {1, units}})
	}
	for at := 1; at < units-1; at += 2 {
		all = append(all, []cut{{0, at}, {1, at + 1}, {2, units}})
	}
	return append(all,
		[]cut{{0, 2}, {1, 4}, {0, units}},
		[]cut{{0, 1}, {1, 3}, {2, 4}, {1, units - 1}, {0, units}},
	)
}

// workloads are variants of w that must not change its tokens.
func workloads(w edgeshard.Workload) map[string]edgeshard.Workload {
	all := make(map[string]edgeshard.Workload)
	for _, s := range []edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles} {
		for _, size := range [][2]int{{1, 1}, {2, 1}, {3, 2}, {4, 4}} {
			v := w
			v.Schedule, v.Batch, v.MicroBatch = s, size[0], size[1]
			all[fmt.Sprintf("%s batch %d/%d", s, v.Batch, v.MicroBatch)] = v
		}
	}
	logits := w
	logits.Return, logits.Batch, logits.MicroBatch = edgeshard.ReturnLogits, 4, 2
	all["logits return"] = logits
	queued := w
	queued.Admission, queued.Order, queued.Batch, queued.MicroBatch = edgeshard.ContinuousAdmission, edgeshard.ShortestFirst, 3, 2
	all["continuous, shortest first"] = queued
	return all
}

// TestTokens holds every cut, and every schedule and batch, to the tokens of one
// node, greedy and sampled.
func TestTokens(t *testing.T) {
	for _, temperature := range []float64{0, 0.9} {
		w := demoWorkload()
		w.Temperature, w.TopP = temperature, 0.95
		single := run(t, inMemory(), plan(t, "demo", devices(t, 1), w, cut{0, 10}))
		for i, cuts := range splits(10) {
			t.Run(fmt.Sprintf("%g/cut %v", temperature, cuts), func(t *testing.T) {
				v := w
				v.Batch, v.MicroBatch = 1+i%4, 1+i%2
				same(t, single, plan(t, "demo", devices(t, 3), v, cuts...))
			})
		}
		for name, v := range workloads(w) {
			t.Run(fmt.Sprintf("%g/%s", temperature, name), func(t *testing.T) {
				same(t, single, plan(t, "demo", devices(t, 3), v, cut{0, 2}, cut{1, 6}, cut{0, 7}, cut{2, 10}))
			})
		}
	}
}

func same(t *testing.T, want *recording, p *edgeshard.Plan) {
	t.Helper()
	got := run(t, inMemory(), p)
	if diff := cmp.Diff(want.tokens, got.tokens); diff != "" {
		t.Errorf("tokens of one node (-) and of the plan (+):\n%s", diff)
	}
	if diff := cmp.Diff(want.text, got.text); diff != "" {
		t.Errorf("text of one node (-) and of the plan (+):\n%s", diff)
	}
}

// TestReference holds the demo model to the continuations of an independent
// implementation, over processes.
func TestReference(t *testing.T) {
	data, err := os.ReadFile("../models/demo/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var refs []struct {
		Prompt    string `json:"prompt"`
		Generated []int  `json:"generated"`
		Text      string `json:"text"`
	}
	if err := json.Unmarshal(data, &refs); err != nil {
		t.Fatal(err)
	}
	w := edgeshard.Workload{Requests: len(refs), PromptTokens: 32, Tokens: 160, Batch: 4, MicroBatch: 1, Schedule: edgeshard.NoBubbles, Return: edgeshard.ReturnToken}
	for _, r := range refs {
		w.Prompts = append(w.Prompts, r.Prompt)
	}
	p := plan(t, "demo", devices(t, 2), w, cut{0, 4}, cut{1, 10})
	rec := run(t, &exec.Runner{Options: exec.Options{Local: processes(t), Threads: 1}}, p)
	for i, r := range refs {
		if diff := cmp.Diff(r.Generated, rec.tokens[i]); diff != "" {
			t.Errorf("prompt %q: tokens of the reference (-) and ours (+):\n%s", r.Prompt, diff)
		}
		// The reference decodes what was generated alone, which drops a leading space.
		if text := strings.TrimPrefix(rec.text[i], " "); text != r.Text {
			t.Errorf("prompt %q: text %q: want %q", r.Prompt, text, r.Text)
		}
	}
}

// TestStories holds stories260K to the reference tokens on one node and for cuts
// and schedules.
func TestStories(t *testing.T) {
	model := testdata(t, "stories260K/stories260K-f32.gguf")
	w := edgeshard.Workload{
		PromptTokens: 16, Tokens: 210, Batch: 3, MicroBatch: 1, Schedule: edgeshard.NoBubbles, Return: edgeshard.ReturnToken,
	}
	var want [][]int
	for i := 1; i <= 3; i++ {
		ids, prompt := storiesReference(t, i)
		w.Prompts = append(w.Prompts, prompt)
		w.Requests++
		want = append(want, ids)
	}
	plans := [][]cut{{{0, 7}}}
	for i, cuts := range append(plans, splits(7)...) {
		t.Run(fmt.Sprint(cuts), func(t *testing.T) {
			v := w
			v.Schedule = []edgeshard.Schedule{edgeshard.NoBubbles, edgeshard.Bubbles, edgeshard.Sequential}[i%3]
			v.MicroBatch = 1 + i%2
			rec := run(t, inMemory(), plan(t, model, devices(t, 3), v, cuts...))
			for r, ids := range want {
				got := rec.tokens[r][:min(len(ids), len(rec.tokens[r]))]
				if diff := cmp.Diff(ids, got); diff != "" {
					t.Errorf("p%d: tokens of the reference (-) and ours (+):\n%s", r+1, diff)
				}
			}
		})
	}
}

// storiesReference returns the tokens that prompt i is to be continued with.
func storiesReference(t *testing.T, i int) (generated []int, prompt string) {
	t.Helper()
	read := func(ext string) []byte {
		data, err := os.ReadFile(testdata(t, fmt.Sprintf("stories260K/reference/p%d.%s", i, ext)))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var ref struct {
		Generated []int `json:"generated"`
	}
	if err := json.Unmarshal(read("tokens.json"), &ref); err != nil {
		t.Fatal(err)
	}
	return ref.Generated, string(read("prompt.txt"))
}

func TestPrompts(t *testing.T) {
	w := demoWorkload()
	p := plan(t, "demo", devices(t, 1), w, cut{0, 10})
	p.Workload.Prompts = []string{"Once upon a time, there was a very long prompt for such a plan, much longer than it can take"}
	if _, err := try(t.Context(), inMemory(), p); err == nil {
		t.Error("a prompt beyond the plan's was taken")
	} else if !strings.Contains(err.Error(), "at most 12") {
		t.Errorf("error %q: want it to tell the plan's length", err)
	}
	p.Workload.PromptTokens, p.Workload.Tokens = 250, 6
	for range 5 {
		p.Workload.Prompts[0] += p.Workload.Prompts[0]
	}
	if _, err := try(t.Context(), inMemory(), p); err == nil {
		t.Error("a prompt beyond the context was taken")
	} else if !strings.Contains(err.Error(), "256 positions") {
		t.Errorf("error %q: want it to tell the context", err)
	}
}
