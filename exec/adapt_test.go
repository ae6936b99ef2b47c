package exec_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

// sharedPlan returns a plan of slow devices of which the source cannot hold all, and
// its last stage.
func sharedPlan(t *testing.T) (*edgeshard.Plan, edgeshard.Stage) {
	t.Helper()
	w := demoWorkload()
	w.Requests, w.Tokens, w.IgnoreEOS = 12, 200, true
	top := devices(t, 3)
	for i := range top.Devices {
		top.Devices[i].Slowdown = 20
	}
	p := plan(t, "demo", top, w, cut{0, 4}, cut{1, 10})
	limit(t, p)
	p, err := replan(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	last := p.Stages[len(p.Stages)-1]
	if last.Device == 0 {
		t.Fatalf("stages %v: want the source not to hold all", p.Stages)
	}
	return p, last
}

// TestAdapt: a worker that becomes slower while a run goes on, by less than what
// counts as a failure, is planned around once it has lasted, and once; the log says
// why, and the tokens are the same.
func TestAdapt(t *testing.T) {
	p, slow := sharedPlan(t)
	want := run(t, inMemory(), p)
	log := newWordLog(t)
	var got *recording
	exec.Virtual(t, func(t *testing.T) {
		r := inMemory()
		r.Timeout, r.Emulate, r.Adapt, r.Replan, r.Log = exec.DefaultTimeout, true, true, replan, log.logger()
		r.Scenario = script(t, p, "[[fault]]\ntoken = 200\ndevice = \""+slow.Name+"\"\ndo = \"slow\"\nfactor = 3\n")
		got = run(t, r, p)
	})
	if diff := cmp.Diff(want.tokens, got.tokens); diff != "" {
		t.Errorf("tokens at full speed (-) and after the change of plan (+):\n%s", diff)
	}
	changes, lost := got.whats(edgeshard.Migrate), got.whats(edgeshard.Lost)
	if len(changes) != 1 || len(lost) != 0 {
		t.Fatalf("changes of plan %+v, lost %+v: want one, that loses nothing; %q", changes, lost, log.lines)
	}
	began := got.whats(edgeshard.Token)[200].End
	if after := changes[0].Start - began; after < 5*time.Second || after > 6*time.Second {
		t.Errorf("the plan was changed %s after the worker became slow: want what it takes to know that it lasts", after)
	}
	idle := func(s edgeshard.Span) bool { return s.Start > changes[0].End && s.Device == slow.Device }
	if slices.ContainsFunc(got.whats(edgeshard.Compute), idle) {
		t.Errorf("%s computes after the change", slow.Name)
	}
	if log.count("verdict=moves") != 1 || log.count("times as long as planned since") != 1 {
		t.Errorf("the log does not tell why: %q", log.lines)
	}
}
