package sim_test

import (
	"math"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
)

// TestSpeedTrace: a device at half its speed from 12 ns on, standing still from 14
// to 24 ns. Of its 5 ns of work 2 are done at 12, 1 at 14, the last 2 take 4.
func TestSpeedTrace(t *testing.T) {
	p := fixedPlan(1, 1)
	sc := parse(t, p, "[[device]]\nname=\"far\"\ntrace=\"x.csv\"")
	sc.AddTrace("x.csv", &scenarios.Trace{Points: []scenarios.TracePoint{{Factor: 1}, {At: 12, Factor: 0.5}, {At: 14}, {At: 24, Factor: 0.5}}})
	s := simulate(t, sim.Runner{Costs: constantCosts(), Scenario: sc}, p)
	if got := s.of(edgeshard.Compute)[1].End; got != 28 {
		t.Errorf("far is done at %v, want 28 ns", got)
	}
}

// slowCosts are stages of seconds, for bodies that warm in seconds.
type slowCosts struct{ stage time.Duration }

func (slowCosts) Stage(int) time.Duration { return 0 }

func (slowCosts) Turn() edgeshard.Turn { return edgeshard.Turn{} }

func (c slowCosts) Compute(_, unit int, _ models.Pass) time.Duration {
	if unit == 0 {
		return c.stage
	}
	return 0
}

func (slowCosts) Transfer(int, int, int64) edgeshard.Transfer { return edgeshard.Transfer{} }

// TestThermal holds the throttling of a device that never rests against the
// solution of dT/dt = (P·R − (T − ambient))/(R·C).
func TestThermal(t *testing.T) {
	p := fixedPlan(1, 1)
	p.Stages = []edgeshard.Stage{{Name: "near", Device: 0, From: 0, To: 6}}
	p.Topology.Devices[0].ActivePower = 20
	p.Workload.Tokens = 1000
	sc := parse(t, p, `[[device]]
name="near"
[device.thermal]
ambient_c=20
limit_c=80
hysteresis_c=10
kelvin_per_watt=4
joules_per_kelvin=5
throttle=2
throttled_power_w=5`)
	s := simulate(t, sim.Runner{Costs: slowCosts{time.Second}, Scenario: sc}, p)
	// Active it tends to 100 °C with τ = 20 s: from 20 to 80 in 20·ln(80/20) s. At 5 W
	// it tends to 40: from 80 to 70 in 20·ln(40/30) s; and from 70 to 80 in 20·ln(30/20) s.
	first, cool, warm := 20*math.Log(4), 20*math.Log(40.0/30), 20*math.Log(1.5)
	// In a period of cool+warm seconds it does cool/2+warm seconds of work.
	rounds := math.Floor((1000 - first) / (cool/2 + warm))
	rest := 1000 - first - rounds*(cool/2+warm)
	if rest > cool/2 {
		rest += cool / 2
	} else {
		rest *= 2
	}
	want := first + rounds*(cool+warm) + rest
	if got := s.makespan().Seconds(); math.Abs(got-want) > 1e-4 {
		t.Errorf("1000 s of work take %.6f s, want %.6f", got, want)
	}
}

// TestBattery: at 20 W active, 0.01 Wh last 1.8 s; then the device is dead.
func TestBattery(t *testing.T) {
	p := fixedPlan(1, 1)
	p.Topology.Devices[1].ActivePower, p.Topology.Devices[1].IdlePower = 20, 0
	c := constantCosts()
	c.compute[1][3] = time.Second
	s := simulate(t, sim.Runner{Costs: c, Scenario: parse(t, p, "[[device]]\nname=\"far\"\nbattery_wh=0.01")}, p)
	if n := len(s.of(edgeshard.Token)); n != 1 {
		t.Errorf("%d tokens, want 1", n)
	}
	d := s.of(edgeshard.Detection)
	if len(d) != 1 || d[0].Device != 1 || (d[0].Start-1800*time.Millisecond).Abs() > time.Microsecond || d[0].End-d[0].Start != scenarios.DefaultDetect {
		t.Errorf("death %+v, want far's at 1.8 s", d)
	}
}
