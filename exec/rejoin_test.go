package exec_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

// A wordLog tells when something has been logged.
type wordLog struct {
	t       *testing.T
	mu      sync.Mutex
	lines   []string
	awaited map[string]chan struct{}
}

func newWordLog(t *testing.T) *wordLog {
	return &wordLog{t: t, awaited: make(map[string]chan struct{})}
}

func (l *wordLog) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *wordLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line))
	for words, c := range l.awaited {
		if bytes.Contains(line, []byte(words)) {
			close(c)
			delete(l.awaited, words)
		}
	}
	return len(line), nil
}

// when returns a channel that is closed once the words are logged.
func (l *wordLog) when(words string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan struct{})
	l.awaited[words] = c
	return c
}

// count returns how many lines have the words.
func (l *wordLog) count(words string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, words) {
			n++
		}
	}
	return n
}

// await fails the test if something does not happen.
func await(t *testing.T, what string, happens <-chan struct{}) {
	t.Helper()
	select {
	case <-happens:
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s did not happen", what)
	}
}

// babble asks an engine for one text after another until the test ends, and makes
// sure that it is always the same.
func babble(t *testing.T, e *exec.Engine) (stop func()) {
	t.Helper()
	q := exec.Request{Prompt: []int{1, 5}, MaxTokens: 40, IgnoreEOS: true}
	want, err := ask(t.Context(), e, q)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			got, err := ask(ctx, e, q)
			if ctx.Err() == nil && (err != nil || !cmp.Equal(got, want)) {
				t.Errorf("%v, error %v: want %v", got, err, want)
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// TestLinkReturns: a link between two workers that was cut, and is whole again, is
// found out by asking them, and used again.
func TestLinkReturns(t *testing.T) {
	t.Parallel()
	log := newWordLog(t)
	link, end := newCable(t, serve(t, exec.WorkerOptions{Insecure: true}), 0)
	p := remoteWith(t, continuous(), serve(t, exec.WorkerOptions{Insecure: true}), end, serve(t, exec.WorkerOptions{Insecure: true}))
	limit(t, p)
	e := open(t, &exec.Runner{Options: exec.Options{Insecure: true, Replan: replan, Timeout: time.Second, Log: log.logger()}}, p)
	defer babble(t, e)()
	cut, back := log.when("recovery"), log.when("link is back")
	link.cutLast() // the coordinator's connections came first
	await(t, "a recovery", cut)
	await(t, "the link's return", back)
}

// limit leaves the devices of a plan of the demo model memory for two thirds of it.
func limit(t *testing.T, p *edgeshard.Plan) {
	t.Helper()
	for i := range p.Topology.Devices {
		p.Topology.Devices[i].Usable = 2_900_000
	}
}

// TestFutile: recoveries that bring nothing forward come to an end.
func TestFutile(t *testing.T) {
	p := remote(t, serve(t, exec.WorkerOptions{Insecure: true}), "127.0.0.1:1")
	n := 0
	r := &exec.Runner{Options: exec.Options{Insecure: true, Timeout: time.Second, Replan: func(_ context.Context, p *edgeshard.Plan, _ []int) (*edgeshard.Plan, error) {
		n++
		return p, nil // with the device that nobody reaches
	}}}
	_, err := try(t.Context(), r, p)
	var lost *exec.DeviceError
	if !errors.As(err, &lost) || lost.Device != "d1" {
		t.Errorf("error %v: want one of d1", err)
	}
	if n != 10 {
		t.Errorf("planned anew %d times: want 8 and one for each device", n)
	}
}
