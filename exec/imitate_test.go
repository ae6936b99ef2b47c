package exec_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

// machine is a profile by which every unit takes this machine 1 ms in decode and
// 4 ms in prefill.
func machine(p *edgeshard.Plan) *edgeshard.Profile {
	n := p.Model.Config.Units()
	return &edgeshard.Profile{Name: "machine", Model: "demo", Units: n, Points: []edgeshard.Point{
		{From: 0, To: n, Batch: 1, Tokens: 1, Past: 8, MS: 1}, {From: 0, To: n, Batch: 1, Tokens: p.Workload.PromptTokens, MS: 4},
	}}
}

// imitatedPlan returns a plan of three devices slower than this machine, two of another
// profile than its own, and this machine's.
func imitatedPlan(t *testing.T) (*edgeshard.Plan, *edgeshard.Profile) {
	t.Helper()
	top := devices(t, 3)
	w := demoWorkload()
	w.Tokens, w.IgnoreEOS = 2, true
	p := plan(t, "demo", top, w, cut{0, 2}, cut{1, 6}, cut{2, 10})
	here := machine(p)
	for i := range top.Devices { // 5 ms a unit of decode, and 10 of them in prefill
		top.Devices[i].Profile = "five"
	}
	top.Devices[1].Profile, top.Devices[1].Slowdown = "machine", 3
	top.Devices[2].Slowdown = 2
	five := *here
	five.Name, five.Points = "five", []edgeshard.Point{
		{From: 0, To: 10, Batch: 1, Tokens: 1, Past: 8, MS: 5}, {From: 0, To: 10, Batch: 1, Tokens: w.PromptTokens, MS: 10},
	}
	p.Profiles = map[string]*edgeshard.Profile{"machine": here, "five": &five}
	return p, here
}

// TestImitation: a device is slowed by what the plan's costs say of its stages,
// relative to this machine; one that is faster is refused.
func TestImitation(t *testing.T) {
	p, here := imitatedPlan(t)
	var got *edgeshard.Imitation
	r := inMemory()
	r.Emulate, r.Machine, r.Imitated = true, here, func(i *edgeshard.Imitation) { got = i }
	asked := [][2]float64{{5, 2.5}, {3, 3}, {10, 5}}
	exec.Virtual(t, func(t *testing.T) { run(t, r, p) })
	for i, want := range asked {
		d := got.Devices[i]
		if math.Abs(d.Slowdown-want[0]) > 1e-6 || math.Abs(d.PrefillSlowdown-want[1]) > 1e-6 {
			t.Errorf("%s is slowed %g times in decode and %g in prefill: want %v", d.Name, d.Slowdown, d.PrefillSlowdown, want)
		}
		// Of eight passes of the same work three are of several positions.
		if want := (5*want[0] + 3*want[1]) / 8; math.Abs(d.Achieved-want) > 1e-6 {
			t.Errorf("%s achieved %g: want %g", d.Name, d.Achieved, want)
		}
	}
	if len(got.Links) != 3 || got.Links[0].Messages == 0 || got.Links[0].By != "sender" {
		t.Errorf("links: %+v", got.Links)
	}

	fast := &p.Topology.Devices[0]
	fast.Profile, fast.FLOPS, fast.MemoryBandwidth = "", 1e15, 1e14
	_, err := try(t.Context(), r, p)
	var device *exec.DeviceError
	if !errors.As(err, &device) || device.Device != "d0" || !strings.Contains(err.Error(), "faster than this machine") {
		t.Errorf("a device faster than this machine: %v", err)
	}
}
