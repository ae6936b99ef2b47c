package sim_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// spreadPlan is a plan of two devices with a profile of some spread.
func spreadPlan(t *testing.T, s edgeshard.Spread) *edgeshard.Plan {
	t.Helper()
	devices := []topologies.Device{{Name: "a", Memory: 1 << 40, Profile: "p"}, {Name: "b", Memory: 1 << 40, Profile: "p"}}
	topo := must(topologies.New("pair", devices, 0, func(int, int) topologies.Link {
		return topologies.Link{Bandwidth: 100_000_000, Latency: time.Millisecond}
	}))
	model := smallModel(4)
	q := &edgeshard.Profile{Name: "p", Units: model.Units(), Spread: s, Software: edgeshard.Software{Hop: 200 * time.Microsecond}}
	for _, tokens := range []int{1, 32} {
		q.Points = append(q.Points, edgeshard.Point{To: model.Units(), Batch: 1, Tokens: tokens, MS: float64(tokens)})
	}
	p := &edgeshard.Plan{
		Model: edgeshard.ModelRef{Ref: "small", Config: model}, Topology: topo, Workload: edgeshard.DefaultWorkload(),
		Profiles: map[string]*edgeshard.Profile{"p": q},
		Stages:   []edgeshard.Stage{{Name: "a", Device: 0, To: 3}, {Name: "b", Device: 1, From: 3, To: 6}},
	}
	p.Workload.Tokens = 16
	return p
}

// TestBands: of runs whose devices and passes vary as the profile says, nine in
// ten lie within the band; it is there for every headline figure.
func TestBands(t *testing.T) {
	spread := edgeshard.Spread{Each: 0.05, Run: 0.04, Hop: 50 * time.Microsecond, Memory: 1 << 20}
	p := spreadPlan(t, spread)
	bands, err := new(sim.Runner).Bands(t.Context(), p, time.Time{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	within, rng := make(map[string]int), rand.New(rand.NewPCG(2, 2))
	const runs = 400
	for range runs {
		factor, hop := 1+spread.Run*rng.NormFloat64(), time.Duration(float64(spread.Hop)*rng.NormFloat64())
		costs := drifted{must(p.Costs()), factor, hop, spread.Each, rng}
		rep := edgeshard.NewReport("sim", p, simulate(t, sim.Runner{Costs: costs}, p))
		for field, v := range rep.Headline() {
			if bands[field].Holds(v) {
				within[field]++
			}
		}
	}
	for _, field := range []string{"ttft_ms.mean", "tpot_ms.mean", "throughput_tokens_per_s", "makespan_s"} {
		if share := float64(within[field]) / runs; share < 0.83 || share > 0.96 {
			t.Errorf("%s: %.1f %% of runs within %+v", field, 100*share, bands[field])
		}
	}
	need := float64(p.Footprint().Peaks(p.Stages, 2, p.Spec().Overhead)[1])
	if b := bands["devices.b.memory_bytes"]; !b.Holds(need) || b.Holds(need+2<<20) {
		t.Errorf("memory of %g bytes is within %+v", need, b)
	}
}

// drifted are costs of a run that is slower by a factor, each pass by its own:
// passes are drawn once each, for none recurs.
type drifted struct {
	edgeshard.Costs
	factor float64
	hop    time.Duration
	each   float64
	rng    *rand.Rand
}

func (d drifted) Compute(device, unit int, p models.Pass) time.Duration {
	t := float64(d.Costs.Compute(device, unit, p)) * d.factor
	return time.Duration(t * (1 + d.each*1.7*d.rng.NormFloat64())) // of three units a stage: √3 times the stage's
}

func (d drifted) Transfer(from, to int, bytes int64) edgeshard.Transfer {
	t := d.Costs.Transfer(from, to, bytes)
	t.Latency += d.hop
	return t
}

// How a machine's visits differ: in compute, in each measurement, and in a message, in ns.
const drift, noise, hopDrift = 0.08, 0.03, 60e3

// visitedPlan returns a plan whose profile was measured on eight visits to a machine
// that drifts, and the costs it drifts about.
func visitedPlan(t *testing.T, rng *rand.Rand) (p *edgeshard.Plan, truth edgeshard.Costs) {
	t.Helper()
	p = spreadPlan(t, edgeshard.Spread{})
	q := p.Profiles["p"]
	for i := range q.Points {
		embedding := q.Points[i]
		q.Points[i].From, embedding.To = 1, 1
		q.Points = append(q.Points, embedding)
	}
	truth = must(p.Costs())
	exact := slices.Clone(q.Points)
	for i := range q.Points {
		q.Points[i].Raw = nil
	}
	for visit := range 8 {
		slow := math.Exp(drift * rng.NormFloat64())
		hop := 200*time.Microsecond + time.Duration(hopDrift*rng.NormFloat64())
		q.Rounds = append(q.Rounds, edgeshard.Round{
			Visit: visit + 1, Date: visited.Add(time.Duration(visit) * 3 * time.Minute).Format(time.RFC3339), Blocks: 1, Software: edgeshard.Software{Hop: hop},
		})
		for i := range q.Points {
			q.Points[i].Raw = append(q.Points[i].Raw, exact[i].MS*slow*math.Exp(noise*rng.NormFloat64()))
		}
	}
	q.Sum()
	return p, truth
}

// TestBandsOfVisits: the bands of profiles that some visits to a drifting machine
// have brought hold nine in ten of the runs that come after them.
func TestBandsOfVisits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	held, runs := 0, 0
	for range 60 {
		p, truth := visitedPlan(t, rng)
		bands, err := new(sim.Runner).Bands(t.Context(), p, visited.Add(30*time.Minute), 1)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			costs := drifted{truth, math.Exp(drift * rng.NormFloat64()), time.Duration(hopDrift * rng.NormFloat64()), noise, rng}
			runs++
			if v := edgeshard.NewReport("sim", p, simulate(t, sim.Runner{Costs: costs}, p)).Headline()["tpot_ms.mean"]; bands["tpot_ms.mean"].Holds(v) {
				held++
			}
		}
	}
	if share := float64(held) / float64(runs); share < 0.88 || share > 0.98 {
		t.Errorf("%.1f %% of %d runs lie within", 100*share, runs)
	}
}

// visited is when a profile's first visit was.
var visited = time.Date(2026, 11, 27, 17, 0, 0, 0, time.UTC)

// TestBandsWiden: the bands of a profile grow with the time since its visits, until
// as long after them as they took, which is what counts if the time is not known.
func TestBandsWiden(t *testing.T) {
	p := spreadPlan(t, edgeshard.Spread{})
	q := p.Profiles["p"]
	for visit := range 8 {
		slow := 1 + 0.02*float64(visit)
		date := visited.Add(time.Duration(visit) * 3 * time.Minute).Format(time.RFC3339)
		q.Rounds = append(q.Rounds, edgeshard.Round{Visit: visit + 1, Date: date, Blocks: 1, Software: edgeshard.Software{Hop: 200 * time.Microsecond}})
		for i := range q.Points {
			q.Points[i].From = 1
			q.Points[i].Raw = append(q.Points[i].Raw, slow*float64(q.Points[i].Tokens))
		}
	}
	q.Points = append(q.Points, edgeshard.Point{To: 1, Batch: 1, Tokens: 1, Raw: make([]float64, 8)})
	q.Sum()
	width := func(when time.Time) float64 {
		bands, err := new(sim.Runner).Bands(t.Context(), p, when, 1)
		if err != nil {
			t.Fatal(err)
		}
		b := bands["tpot_ms.mean"]
		return b.High - b.Low
	}
	last := visited.Add(21 * time.Minute)
	soon, later, latest := width(last), width(last.Add(10*time.Minute)), width(last.Add(24*time.Hour))
	if later < 1.05*soon || latest < 1.05*later || latest > 3*soon {
		t.Errorf("bands are %g ms wide at the last visit, %g ten minutes and %g a day later", soon, later, latest)
	}
	if w := width(time.Time{}); w != latest {
		t.Errorf("at no known time the band is %g ms wide, want %g", w, latest)
	}
}

// TestBandsTogether: what varies together makes a wider band than what varies apart.
func TestBandsTogether(t *testing.T) {
	width := func(together float64) float64 {
		p := spreadPlan(t, edgeshard.Spread{Run: 0.02, Hop: 100 * time.Microsecond, Together: together})
		bands, err := new(sim.Runner).Bands(t.Context(), p, time.Time{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		b := bands["tpot_ms.mean"]
		return b.High - b.Low
	}
	against, apart, with := width(-1), width(0), width(1)
	if apart < 1.2*against || with < 1.1*apart {
		t.Errorf("bands are %g ms wide against one another, %g apart, %g together", against, apart, with)
	}
}

// TestBandsHaveTurns: what the source and the coordinator take around passes is in a
// band as it is in the prediction.
func TestBandsHaveTurns(t *testing.T) {
	p := spreadPlan(t, edgeshard.Spread{Run: 0.01})
	turn := &p.Profiles["p"].Software
	turn.Enter, turn.Token, turn.Onward = 20*time.Millisecond, 10*time.Millisecond, 5*time.Millisecond
	bands, err := new(sim.Runner).Bands(t.Context(), p, time.Time{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for field, v := range edgeshard.NewReport("sim", p, simulate(t, sim.Runner{}, p)).Headline() {
		if b, ok := bands[field]; ok && !b.Holds(v) {
			t.Errorf("%s: predicted %g, outside of its own band %+v", field, v, b)
		}
	}
}

func TestNoBands(t *testing.T) {
	if bands, err := new(sim.Runner).Bands(t.Context(), spreadPlan(t, edgeshard.Spread{}), time.Time{}, 1); bands != nil || err != nil {
		t.Errorf("a profile without spread gives %v, %v", bands, err)
	}
}

// TestBandsOfFewRuns: a spread seen in few runs makes a wider band, and so does a
// link whose latency varies.
func TestBandsOfFewRuns(t *testing.T) {
	seed := uint64(0)
	width := func(s edgeshard.Spread, jitter time.Duration) float64 {
		seed++
		p := spreadPlan(t, s)
		link := p.Topology.Link(0, 1)
		link.Jitter = jitter
		p.Topology = must(must(p.Topology.WithLink(0, 1, link)).WithLink(1, 0, link))
		bands, err := new(sim.Runner).Bands(t.Context(), p, time.Time{}, seed)
		if err != nil {
			t.Fatal(err)
		}
		b := bands["tpot_ms.mean"]
		return b.High - b.Low
	}
	many, few := width(edgeshard.Spread{Run: 0.02}, 0), width(edgeshard.Spread{Run: 0.02, Runs: 4}, 0)
	if few < 1.3*many || few > 2.5*many { // Student's t of 3 degrees: 2.35 · √1.25 / 1.645
		t.Errorf("of few runs the band is %g wide, of many %g", few, many)
	}
	for range 5 { // of two, draws have no bounds
		if two := width(edgeshard.Spread{Run: 0.1, Runs: 2, Hop: time.Millisecond}, 0); !(two > few) {
			t.Errorf("of two runs the band is %g wide, of four %g", two, few)
		}
	}
	if jittery := width(edgeshard.Spread{}, 500*time.Microsecond); jittery == 0 {
		t.Error("links that jitter have no band")
	}
}

// TestTopologyJitter: jitter of a topology's links leaves the mean latency as it is.
func TestTopologyJitter(t *testing.T) {
	p := spreadPlan(t, edgeshard.Spread{})
	p.Workload.Tokens, p.Workload.Requests = 16, 200
	still := edgeshard.NewReport("sim", p, simulate(t, sim.Runner{}, p)).TPOT.Mean
	link := p.Topology.Link(0, 1)
	link.Jitter = 400 * time.Microsecond
	p.Topology = must(must(p.Topology.WithLink(0, 1, link)).WithLink(1, 0, link))
	moving := edgeshard.NewReport("sim", p, simulate(t, sim.Runner{}, p)).TPOT.Mean
	if moving == still || moving < 0.99*still || moving > 1.01*still {
		t.Errorf("time per token %g ms with jitter, %g ms without", moving, still)
	}
}

// A profile of one round does not know what another would differ by, so that what is
// predicted from it has no bands; one of two has.
func TestNoBandsOfOneRound(t *testing.T) {
	for rounds := 1; rounds <= 2; rounds++ {
		p, _ := visitedPlan(t, rand.New(rand.NewPCG(3, 4)))
		q := p.Profiles["p"]
		q.Rounds = q.Rounds[:rounds]
		for i := range q.Points {
			q.Points[i].Raw = q.Points[i].Raw[:rounds]
		}
		q.Sum()
		bands, err := new(sim.Runner).Bands(t.Context(), p, visited.Add(time.Hour), 1)
		if err != nil || (len(bands) > 0) != (rounds > 1) {
			t.Errorf("%d rounds: bands %v, %v", rounds, bands, err)
		}
	}
}
