package exec_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

// nobody observes nothing.
type nobody struct{}

func (nobody) Span(edgeshard.Span)   {}
func (nobody) Text(int, int, string) {}

func open(t *testing.T, r *exec.Runner, p *edgeshard.Plan) *exec.Engine {
	t.Helper()
	e, err := r.Open(context.Background(), p, nobody{}) // the test's own ends before its cleanup
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// ask submits a request and returns all its tokens.
func ask(ctx context.Context, e *exec.Engine, q exec.Request) ([]int, error) {
	g, err := e.Submit(ctx, q)
	if err != nil {
		return nil, err
	}
	return rest(ctx, g)
}

// rest returns the tokens that are still to come.
func rest(ctx context.Context, g *exec.Generation) ([]int, error) {
	var ids []int
	for {
		t, err := g.Next(ctx)
		if errors.Is(err, io.EOF) {
			return ids, nil
		}
		if err != nil {
			return ids, err
		}
		ids = append(ids, t.ID)
	}
}

// continuous is a workload for requests that come at any time.
func continuous() edgeshard.Workload {
	w := demoWorkload()
	w.Admission, w.Batch, w.MicroBatch, w.Tokens = edgeshard.ContinuousAdmission, 4, 2, 40
	return w
}

// TestEngine: requests that come at any time, of any length that fits, get the
// tokens they get alone.
func TestEngine(t *testing.T) {
	e := open(t, inMemory(), plan(t, "demo", devices(t, 3), continuous(), cut{0, 2}, cut{1, 6}, cut{2, 10}))
	requests := make([]exec.Request, 12)
	want := make([][]int, len(requests))
	for i := range requests {
		requests[i] = exec.Request{Prompt: []int{1}, MaxTokens: 5 + i, IgnoreEOS: i%2 == 0}
		for j := range 3 * i { // longer than a pass at last
			requests[i].Prompt = append(requests[i].Prompt, 100+7*i+j)
		}
		var err error
		if want[i], err = ask(t.Context(), e, requests[i]); err != nil {
			t.Fatal(err)
		}
	}
	single := open(t, inMemory(), plan(t, "demo", devices(t, 1), edgeshard.Workload{
		Requests: 1, PromptTokens: 40, Tokens: 40, Batch: 1, MicroBatch: 1, Schedule: edgeshard.Sequential, Return: edgeshard.ReturnToken,
	}, cut{0, 10}))
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			for _, other := range []*exec.Engine{e, single} {
				got, err := ask(t.Context(), other, requests[i])
				if err != nil || !slices.Equal(got, want[i]) {
					t.Errorf("request %d: %v, error %v: want %v", i, got, err, want[i])
				}
			}
		})
	}
	all.Wait()
}

// TestEngineRefuses what no plan is made for.
func TestEngineRefuses(t *testing.T) {
	e := open(t, inMemory(), plan(t, "demo", devices(t, 1), continuous(), cut{0, 10}))
	for want, q := range map[string]exec.Request{
		"at least 1":     {MaxTokens: 1},
		"52 in all":      {Prompt: make([]int, 20), MaxTokens: 33},
		"the vocabulary": {Prompt: []int{1 << 20}, MaxTokens: 1},
	} {
		if _, err := e.Submit(t.Context(), q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v: want %q", err, want)
		}
	}
}

// TestEngineCancel: a request whose context ends leaves its place to others,
// waiting or running.
func TestEngineCancel(t *testing.T) {
	w := continuous()
	w.Batch, w.MicroBatch = 1, 1
	e := open(t, inMemory(), plan(t, "demo", devices(t, 2), w, cut{0, 4}, cut{1, 10}))
	q := exec.Request{Prompt: []int{1}, MaxTokens: 51, IgnoreEOS: true}
	whole, err := ask(t.Context(), e, q)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	running, err1 := e.Submit(ctx, q)
	waiting, err2 := e.Submit(ctx, q)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if _, err := running.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel(gone)
	for _, g := range []*exec.Generation{running, waiting} {
		if ids, err := rest(t.Context(), g); !errors.Is(err, gone) || len(ids) > 49 {
			t.Errorf("%d tokens and error %v: want %v", len(ids), err, gone)
		}
	}
	if again, err := ask(t.Context(), e, q); err != nil || !slices.Equal(again, whole) {
		t.Errorf("the next request got %v, error %v: want %v", again, err, whole)
	}
}

// TestEngineClose: requests that are open when the engine closes end with
// ErrClosed, and none are taken after.
func TestEngineClose(t *testing.T) {
	e, err := inMemory().Open(t.Context(), plan(t, "demo", devices(t, 2), continuous(), cut{0, 4}, cut{1, 10}), nobody{})
	if err != nil {
		t.Fatal(err)
	}
	var open []*exec.Generation
	for range 8 {
		g, err := e.Submit(t.Context(), exec.Request{Prompt: []int{1}, MaxTokens: 51, IgnoreEOS: true})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, g)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, g := range open {
		if _, err := rest(t.Context(), g); !errors.Is(err, exec.ErrClosed) {
			t.Errorf("error %v: want %v", err, exec.ErrClosed)
		}
	}
	if _, err := e.Submit(t.Context(), exec.Request{Prompt: []int{1}, MaxTokens: 1}); !errors.Is(err, exec.ErrClosed) {
		t.Errorf("error %v: want %v", err, exec.ErrClosed)
	}
}
