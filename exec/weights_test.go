package exec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/models"
)

// nowhere is a model that a worker does not have.
const nowhere = "/nowhere/at/all.gguf"

// smallModel writes a model whose larger tensors have several chunks.
func smallModel(t *testing.T, seed uint64) string {
	t.Helper()
	shape := models.Config{
		Name: "small", Vocab: 5120, Dim: 256, Hidden: 256, Layers: 2, Heads: 8, KVHeads: 4,
		Context: 64, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	}
	var b bytes.Buffer
	if err := models.WriteSynth(t.Context(), &b, shape, models.F16, 0, seed); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "small.gguf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newCache(t *testing.T, limit int64) *weights.Store {
	t.Helper()
	s, err := weights.OpenStore(t.TempDir(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A transfer counts what workers fetch in a run.
type transfer struct {
	mu     sync.Mutex
	states map[exec.State]bool
	bytes  map[string]int64
}

func (f *transfer) tell(p exec.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.states[p.State] = true
	if p.State == exec.Fetching {
		f.bytes[p.Device] = p.Bytes
	}
}

// moved runs a plan and returns its tokens and what each device fetched.
func moved(t *testing.T, p *edgeshard.Plan) (map[int][]int, map[string]int64) {
	t.Helper()
	f := &transfer{states: make(map[exec.State]bool), bytes: make(map[string]int64)}
	rec := run(t, &exec.Runner{Options: exec.Options{Insecure: true, Progress: f.tell}}, p)
	if !f.states[exec.Hashing] || !f.states[exec.Loading] {
		t.Errorf("states %v: want hashing and loading among them", f.states)
	}
	return rec.tokens, f.bytes
}

// TestWeightsTravel: workers without the model take its weights from the
// coordinator or from each other, once, and only those they lack.
func TestWeightsTravel(t *testing.T) {
	file := smallModel(t, 1)
	w := demoWorkload()
	w.PromptTokens, w.Prompts, w.IgnoreEOS = 8, nil, true
	at := func(cuts ...cut) *edgeshard.Plan {
		p := plan(t, file, devices(t, 2), w, cuts...)
		p.Model.Precision = models.F16
		return p
	}
	want := run(t, inMemory(), at(cut{0, 4})).tokens
	a := serve(t, exec.WorkerOptions{Insecure: true, Model: nowhere, Cache: newCache(t, 0)})
	b := serve(t, exec.WorkerOptions{Insecure: true, Model: nowhere, Cache: newCache(t, 0)})
	units := at(cut{0, 4}).Footprint()
	sum := func(from, to int) (n int64) {
		for u := from; u < to; u++ {
			n += units.Weights(u)
		}
		return n
	}
	for i, c := range []struct {
		cuts []cut
		want map[string]int64
	}{
		{[]cut{{0, 2}, {1, 4}}, map[string]int64{"d0": sum(0, 2), "d1": sum(2, 4)}},
		{[]cut{{0, 2}, {1, 4}}, map[string]int64{}}, // all is there
		{[]cut{{0, 1}, {1, 4}}, map[string]int64{"d1": sum(1, 2)}},
		{[]cut{{0, 3}, {1, 4}}, map[string]int64{"d0": sum(2, 3)}},
	} {
		p := at(c.cuts...)
		p.Topology.Devices[0].Address, p.Topology.Devices[1].Address = a, b
		tokens, bytes := moved(t, p)
		if diff := cmp.Diff(want, tokens); diff != "" {
			t.Errorf("run %d: tokens of one node (-) and over the wire (+):\n%s", i, diff)
		}
		if diff := cmp.Diff(c.want, bytes); diff != "" {
			t.Errorf("run %d: bytes that should travel (-) and did (+):\n%s", i, diff)
		}
	}
}

// TestOwnCopy: a worker's own copy of the model saves the transfer, one of
// another model does not pass for it.
func TestOwnCopy(t *testing.T) {
	file, other := smallModel(t, 1), smallModel(t, 2)
	w := demoWorkload()
	w.PromptTokens, w.Prompts, w.IgnoreEOS = 8, nil, true
	for name, c := range map[string]struct {
		worker exec.WorkerOptions
		fetch  bool
		err    string
	}{
		"the same model":              {exec.WorkerOptions{Model: file}, false, ""},
		"another, and a cache":        {exec.WorkerOptions{Model: other, Cache: newCache(t, 0)}, true, ""},
		"another, and no cache":       {exec.WorkerOptions{Model: other}, false, "differs"},
		"none, and no cache":          {exec.WorkerOptions{Model: nowhere}, false, "no such file"},
		"none, and a cache too small": {exec.WorkerOptions{Model: nowhere, Cache: newCache(t, 1<<20)}, false, "cache of weights may hold 1048576 bytes"},
		"another shape":               {exec.WorkerOptions{Model: "demo"}, false, "not the plan's"},
	} {
		t.Run(name, func(t *testing.T) {
			c.worker.Insecure = true
			p := plan(t, file, devices(t, 1), w, cut{0, 4})
			p.Topology.Devices[0].Address = serve(t, c.worker)
			if c.err != "" {
				_, err := try(t.Context(), &exec.Runner{Options: exec.Options{Insecure: true}}, p)
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v: want %q", err, c.err)
				}
				return
			}
			if _, bytes := moved(t, p); (bytes["d0"] > 0) != c.fetch {
				t.Errorf("%d bytes were fetched: want some: %v", bytes["d0"], c.fetch)
			}
		})
	}
}
