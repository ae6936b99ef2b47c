package exec_test

import (
	"context"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

// TestAskStatus: a worker tells of itself; one that is not there is told of.
func TestAskStatus(t *testing.T) {
	address := serve(t, exec.WorkerOptions{Name: "d0", Insecure: true, Memory: 1 << 30, Version: "v1"})
	s := exec.AskStatus(t.Context(), "d0", address, nil, time.Minute)
	if s.Health != exec.Healthy || s.State != "idle" || s.Version != "v1" || s.Threads != 1 || s.MemoryBudget != 1<<30 || s.Kernel == "" || s.UptimeS <= 0 {
		t.Errorf("%+v", s)
	}
	s = exec.AskStatus(t.Context(), "d1", "127.0.0.1:1", nil, time.Minute)
	if s.Health == exec.Healthy || s.Device != "d1" || s.Address != "127.0.0.1:1" {
		t.Errorf("%+v", s)
	}
}

// TestEngineStatus: an engine's workers tell which units they hold, and what
// they have done.
func TestEngineStatus(t *testing.T) {
	e := open(t, inMemory(), plan(t, "demo", devices(t, 2), continuous(), cut{0, 4}, cut{1, 10}))
	q := exec.Request{Prompt: []int{1, 5, 6}, MaxTokens: 5, IgnoreEOS: true}
	if _, err := ask(context.Background(), e, q); err != nil {
		t.Fatal(err)
	}
	all := e.Status(t.Context())
	if len(all) != 2 {
		t.Fatalf("%d devices: want 2", len(all))
	}
	for i, want := range []edgeshard.Stage{{Name: "d0", From: 0, To: 4}, {Name: "d1", Device: 1, From: 4, To: 10}} {
		s := all[i]
		if s.Health != exec.Healthy || s.State != "serving" || len(s.Stages) != 1 || s.Stages[0] != want || s.Passes != 5 || s.WeightBytes <= 0 || s.Utilisation <= 0 {
			t.Errorf("%+v: want %v and 5 passes", s, want)
		}
	}
}

// TestLogProbs: log-probabilities come back through the pipeline, whoever samples.
func TestLogProbs(t *testing.T) {
	for _, back := range []edgeshard.Return{edgeshard.ReturnToken, edgeshard.ReturnLogits} {
		w := continuous()
		w.Return = back
		e := open(t, inMemory(), plan(t, "demo", devices(t, 2), w, cut{0, 4}, cut{1, 10}))
		q := exec.Request{Prompt: []int{1, 5, 6}, MaxTokens: 4, IgnoreEOS: true, Sampling: exec.Sampling{LogProbs: true, Alternatives: 3}}
		g, err := e.Submit(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			tok, err := g.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(tok.Top) != 3 || tok.Top[0].ID != tok.ID || tok.Top[0].LogProb != tok.LogProb || tok.LogProb > 0 || tok.Top[1].LogProb > tok.LogProb {
				t.Errorf("%s: %+v: want three alternatives, the greedy token first", back, tok)
			}
		}
	}
}
