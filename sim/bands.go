package sim

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
)

const (
	// bandRuns are the runs that a band is drawn from, fewer where they are long;
	// leastRuns still have a 5th percentile of their own.
	bandRuns, leastRuns = 200, 20
	// bandPasses bounds the passes of all of them together.
	bandPasses = 400_000
)

// Bands returns within which bounds the figures of a run of p are predicted to
// lie, with a probability of 90 %: between the 5th and the 95th percentile of
// simulated runs. In each of them every device is faster or slower by one factor
// for the whole run, drawn by its profile's Spread.Run, each pass by one of its
// own (Spread.Each), and messages take Spread.Hop more or less. Memory varies by
// Spread.Memory. Links that jitter do so otherwise in each run. Without profiles
// that tell their spread, and links that vary, there are no bands; nor are there with a
// profile of a single round, which does not know what another would differ by.
//
// When is the time of the run that is predicted; the zero time: not known. The
// longer after the profiles' visits, the wider are the bands.
//
// Where r has a scenario of devices its noise stands for that of single passes.
func (r *Runner) Bands(ctx context.Context, p *edgeshard.Plan, when time.Time, seed uint64) (map[string]edgeshard.Band, error) {
	spread, any := spreads(p, when)
	if !any {
		return nil, nil
	}
	costs, err := r.costs(p)
	if err != nil {
		return nil, err
	}
	runs := int(min(bandRuns, max(leastRuns, bandPasses/max(1, passes(p)))))
	drawn := make(map[string][]float64)
	rng := rand.New(rand.NewPCG(seed, 0x62616e6473)) // "bands"
	for i := range runs {
		one := *r
		one.Scenario = noisy(r.Scenario, p, spread, seed+uint64(i))
		one.Costs = vary(costs, p, spread, rng)
		rec := edgeshard.NewRecorder(p)
		if err := one.Run(ctx, p, rec); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			continue // a run that fails by its draws says nothing of the others
		}
		for field, v := range rec.Report("sim").Headline() {
			drawn[field] = append(drawn[field], v)
		}
	}
	bands := make(map[string]edgeshard.Band)
	for field, values := range drawn {
		slices.Sort(values)
		at := func(q float64) float64 { return values[int(math.Round(q*float64(len(values)-1)))] }
		bands[field] = edgeshard.Band{Low: at(0.05), High: at(0.95)}
	}
	memoryBands(p, spread, bands)
	return bands, nil
}

// costs returns what a run of p takes its times from.
func (r *Runner) costs(p *edgeshard.Plan) (edgeshard.Costs, error) {
	if r.Costs != nil {
		return r.Costs, nil
	}
	return p.Costs()
}

// spreads returns the spread of each device's profile at a time, and whether any is
// known.
func spreads(p *edgeshard.Plan, when time.Time) (all []edgeshard.Spread, any bool) {
	for _, s := range p.Stages {
		if q := p.Profiles[p.Topology.Devices[s.Device].Profile]; q != nil && len(q.Rounds) == 1 {
			return nil, false // one round does not tell by how much others differ
		}
	}
	all = make([]edgeshard.Spread, len(p.Topology.Devices))
	of := make(map[*edgeshard.Profile]edgeshard.Spread)
	for i := range all {
		if q := p.Profiles[p.Topology.Devices[i].Profile]; q != nil {
			if _, ok := of[q]; !ok {
				of[q] = q.SpreadAt(when, len(all) == 1)
			}
			all[i] = of[q]
		}
	}
	any = p.Topology.Varies()
	for _, s := range p.Stages {
		any = any || all[s.Device] != edgeshard.Spread{}
	}
	return all, any
}

// passes is how many passes a run of p has, all stages together.
func passes(p *edgeshard.Plan) int64 {
	w := &p.Workload
	return int64(w.Requests) * int64(w.Tokens) * int64(len(p.Stages)) / int64(w.MicroBatch)
}

// noisy adds to a scenario that each pass of a device varies on its own.
func noisy(s *scenarios.Scenario, p *edgeshard.Plan, spread []edgeshard.Spread, seed uint64) *scenarios.Scenario {
	var n scenarios.Scenario
	if s != nil {
		n = *s
	}
	n.Seed = seed
	if len(n.Devices) > 0 {
		return &n
	}
	for i := range spread {
		if cv := spread[i].Each; cv >= 0.01 { // what a lognormal distribution can have
			n.Devices = append(n.Devices, scenarios.Device{
				Name: p.Topology.Devices[i].Name, Noise: &scenarios.Noise{Distribution: "lognormal", CV: min(cv, 10)},
			})
		}
	}
	return &n
}

// varied are the costs of one run among many.
type varied struct {
	edgeshard.Costs
	compute []float64 // factor, by device
	hop     []float64 // ns that a message takes more, by the device it comes from
	turn    float64   // factor of the coordinator's part
}

// vary draws the costs of a run. Devices of one profile vary alike: what moves
// one of them between two runs, such as a machine's clock, moves the other.
func vary(c edgeshard.Costs, p *edgeshard.Plan, spread []edgeshard.Spread, rng *rand.Rand) *varied {
	source, hop := p.Topology.Source, time.Duration(0)
	if q := p.Profiles[p.Topology.Devices[source].Profile]; q != nil {
		hop = q.Hop
	}
	v := &varied{Costs: c, turn: 1, compute: make([]float64, len(spread)), hop: make([]float64, len(spread))}
	draws := make(map[edgeshard.Spread][2]float64)
	for i, s := range spread {
		d, ok := draws[s]
		if !ok {
			d = deviate(s.Runs, s.Together, rng)
			draws[s] = d
		}
		v.compute[i] = math.Exp(within(s.Run*d[0], math.Log(mostOff)))
		v.hop[i] = within(float64(s.Hop)*d[1], mostOff*float64(max(hop, s.Hop)))
		if i == source && hop > 0 { // words to and from the coordinator are messages too
			v.turn = max(0, 1+v.hop[i]/float64(hop))
		}
	}
	return v
}

func (v *varied) Turn() edgeshard.Turn {
	t := v.Costs.Turn()
	t.Enter, t.Token = time.Duration(float64(t.Enter)*v.turn), time.Duration(float64(t.Token)*v.turn)
	return t
}

// mostOff bounds how many times longer a run takes than predicted, or shorter: the
// ends of Student's distribution of few are beyond what a clock can tell.
const mostOff = 100

func within(x, most float64) float64 { return min(max(x, -most), most) }

// deviate draws how far a run lies from the mean of n others in two things that
// correlate, in standard deviations as those show them: from Student's distribution,
// wide where they are few, and with what their own mean may be off by.
func deviate(n int, together float64, rng *rand.Rand) [2]float64 {
	x, y := rng.NormFloat64(), rng.NormFloat64()
	y = together*x + math.Sqrt(1-together*together)*y
	if n < 2 {
		return [2]float64{x, y}
	}
	squares := 0.0
	for range n - 1 {
		z := rng.NormFloat64()
		squares += z * z
	}
	wider := math.Sqrt(1+1/float64(n)) / math.Sqrt(squares/float64(n-1))
	return [2]float64{x * wider, y * wider}
}

func (v *varied) Compute(device, unit int, p models.Pass) time.Duration {
	return time.Duration(float64(v.Costs.Compute(device, unit, p)) * v.compute[device])
}

func (v *varied) Transfer(from, to int, bytes int64) edgeshard.Transfer {
	t := v.Costs.Transfer(from, to, bytes)
	if from != to {
		t.Latency = max(0, t.Latency+time.Duration(v.hop[from]))
	}
	return t
}

// memoryBands adds the bands of the devices' peak memory: 90 % of a normal
// distribution.
func memoryBands(p *edgeshard.Plan, spread []edgeshard.Spread, bands map[string]edgeshard.Band) {
	for i, n := range p.Footprint().Peaks(p.Stages, len(spread), p.Spec().Overhead) {
		if s := float64(spread[i].Memory); n > 0 && s > 0 {
			field := "devices." + p.Topology.Devices[i].Name + ".memory_bytes"
			bands[field] = edgeshard.Band{Low: float64(n) - 1.645*s, High: float64(n) + 1.645*s}
		}
	}
}
