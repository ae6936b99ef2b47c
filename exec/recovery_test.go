package exec_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/solver"
)

// replan solves again without some devices.
func replan(ctx context.Context, p *edgeshard.Plan, without []int) (*edgeshard.Plan, error) {
	var o solver.Options
	for _, d := range without {
		o.Exclude = append(o.Exclude, p.Topology.Devices[d].Name)
	}
	q, _, err := solver.Plan(ctx, *p, o)
	return q, err
}

// script reads the faults of a run of p.
func script(t *testing.T, p *edgeshard.Plan, text string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Parse("faults.toml", []byte(text), p.Topology)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// hurtWorkload has several requests in flight, of which some wait.
func hurtWorkload() edgeshard.Workload {
	w := demoWorkload()
	w.Requests, w.Batch, w.MicroBatch, w.Tokens, w.IgnoreEOS = 6, 4, 2, 40, true
	return w
}

// TestRecovery: whatever happens to a worker or a link, it is detected within the
// timeout, and every request goes on with the tokens of a run in which nothing does.
func TestRecovery(t *testing.T) {
	p := plan(t, "demo", devices(t, 4), hurtWorkload(), cut{0, 3}, cut{1, 6}, cut{2, 9}, cut{0, 10})
	want := run(t, inMemory(), p)
	for name, c := range map[string]struct {
		faults string
		device string
	}{
		"killed":         {"[[fault]]\ntoken = 50\ndevice = \"d1\"\ndo = \"kill\"\n", "d1"},
		"source killed":  {"[[fault]]\ntoken = 50\ndevice = \"d0\"\ndo = \"kill\"\n", "d0"},
		"killed at once": {"[[fault]]\nat = \"0s\"\ndevice = \"d2\"\ndo = \"kill\"\n", "d2"},
		"two killed":     {"[[fault]]\ntoken = 50\ndevice = \"d1\"\ndo = \"kill\"\n[[fault]]\ntoken = 60\ndevice = \"d2\"\ndo = \"kill\"\n", "d"},
		"frozen":         {"[[fault]]\ntoken = 50\ndevice = \"d2\"\ndo = \"freeze\"\n", "d2"},
		"cut":            {"[[fault]]\ntoken = 50\nbetween = [\"d1\", \"d2\"]\ndo = \"cut\"\n", ""},
		"half cut":       {"[[fault]]\ntoken = 50\nfrom = \"d2\"\nto = \"d0\"\ndo = \"cut\"\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			exec.Virtual(t, func(t *testing.T) {
				r := inMemory()
				r.Replan, r.Timeout, r.Scenario = replan, 2*time.Second, script(t, p, c.faults)
				got := run(t, r, p)
				if diff := cmp.Diff(want.tokens, got.tokens); diff != "" {
					t.Errorf("tokens without (-) and with the fault (+):\n%s", diff)
				}
				recovered(t, p, got, c.device)
			})
		})
	}
}

// recovered checks that a run's report tells of a recovery in time.
func recovered(t *testing.T, p *edgeshard.Plan, rec *recording, device string) {
	t.Helper()
	rep := edgeshard.NewReport("exec", p, rec.spans)
	if len(rep.Recoveries) == 0 {
		t.Fatal("no recovery is told of")
	}
	for _, r := range rep.Recoveries {
		t.Logf("%+v", r)
		if r.DetectionMS > 2000 {
			t.Errorf("detected after %g ms", r.DetectionMS)
		}
	}
	if r := rep.Recoveries[0]; device != "" && !strings.HasPrefix(r.Device, device) || device == "" && r.To == "" {
		t.Errorf("recovery of %q to %q: want %q", r.Device, r.To, device)
	}
	if rep.Requests != p.Workload.Requests || rep.Tokens != p.Workload.Requests*p.Workload.Tokens {
		t.Errorf("%d requests and %d tokens", rep.Requests, rep.Tokens)
	}
}
