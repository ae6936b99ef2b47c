package sim_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// batchMeans collects a long run's observations in 30 batches, after a warm-up.
type batchMeans struct {
	n, per, warm int
	sums         [30]float64
}

func (b *batchMeans) add(x float64) {
	if i := b.n - b.warm; i >= 0 && i/b.per < len(b.sums) {
		b.sums[i/b.per] += x
	}
	b.n++
}

// interval returns the mean and the half-width of its confidence interval of
// 99.9 % (Student's t with 29 degrees of freedom).
func (b *batchMeans) interval() (mean, half float64) {
	for _, s := range b.sums {
		mean += s / float64(b.per) / float64(len(b.sums))
	}
	variance := 0.0
	for _, s := range b.sums {
		d := s/float64(b.per) - mean
		variance += d * d / float64(len(b.sums)-1)
	}
	return mean, 3.659 * math.Sqrt(variance/float64(len(b.sums)))
}

func (b *batchMeans) check(t *testing.T, what string, want float64) {
	t.Helper()
	mean, half := b.interval()
	if math.Abs(mean-want) > half || half > want/8 {
		t.Errorf("%s: %.5g ± %.2g, want %.5g", what, mean, half, want)
	}
}

// waits observes how long requests wait for the only stage's device, in seconds.
type waits struct {
	batchMeans
	arrival []time.Duration
}

func (w *waits) Text(int, int, string) {}
func (w *waits) Span(s edgeshard.Span) {
	if s.What == edgeshard.Compute {
		w.add((s.Start - w.arrival[s.Request]).Seconds())
	}
}

// onePlan is a plan of one device, which takes 1 s for a request's only pass.
func onePlan(requests int, rate float64) *edgeshard.Plan {
	p := fixedPlan(requests, 1<<16)
	p.Stages = []edgeshard.Stage{{Name: "near", Device: 0, From: 0, To: 6}}
	p.Topology.Devices[0].Memory = 1 << 50
	w := &p.Workload
	w.MicroBatch, w.PromptTokens, w.Tokens, w.Rate, w.Admission = 1, 1, 1, rate, edgeshard.ContinuousAdmission
	return p
}

// TestQueues holds the mean wait at a device that is busy 70 % of the time
// against Pollaczek and Khinchine's: ρ/(1−ρ) · (1+cv²)/2 of a service time.
func TestQueues(t *testing.T) {
	const rho, requests = 0.7, 400_000
	for _, c := range []struct {
		name, distribution string
		cv                 float64
	}{{"M/D/1", "", 0}, {"M/M/1", "exponential", 1}, {"M/G/1 lognormal", "lognormal", 1.3}, {"M/G/1 gamma", "gamma", 0.5}} {
		p := onePlan(requests, rho)
		sc := &scenarios.Scenario{Seed: 11}
		if c.distribution != "" {
			n := &scenarios.Noise{Distribution: c.distribution, CV: c.cv}
			sc.Devices = []scenarios.Device{{Name: "near", Noise: n}}
		}
		w := &waits{batchMeans: batchMeans{warm: 10_000, per: 13_000}, arrival: make([]time.Duration, requests)}
		for i, r := range p.Workload.Arrivals() {
			w.arrival[i] = r.Arrival
		}
		if err := (&sim.Runner{Costs: slowCosts{time.Second}, Scenario: sc}).Run(context.Background(), p, w); err != nil {
			t.Fatal(err)
		}
		w.check(t, c.name, rho/(1-rho)*(1+c.cv*c.cv)/2)
	}
}

// TestLittle: in a report, the requests in the system are arrivals a second
// times mean latency, whatever the workload.
func TestLittle(t *testing.T) {
	for _, rate := range []float64{0, 0.5, 2} {
		p := onePlan(2000, rate)
		if rate == 0 {
			p.Workload.Admission = ""
		}
		r := edgeshard.NewRecorder(p)
		if err := (&sim.Runner{Costs: slowCosts{time.Second}}).Run(context.Background(), p, r); err != nil {
			t.Fatal(err)
		}
		rep := r.Report("sim")
		want := float64(rep.Requests) / rep.MakespanS * rep.Latency.Mean / 1e3
		if math.Abs(rep.InSystem-want) > 1e-9*want {
			t.Errorf("rate %g: %g requests in the system, want %g", rate, rep.InSystem, want)
		}
	}
}

// tandemCosts take a time of its own on each device, and none on links.
type tandemCosts struct{ means []time.Duration }

func (tandemCosts) Stage(int) time.Duration { return 0 }

func (tandemCosts) Turn() edgeshard.Turn { return edgeshard.Turn{} }

func (c tandemCosts) Compute(device, _ int, _ models.Pass) time.Duration { return c.means[device] }
func (tandemCosts) Transfer(int, int, int64) edgeshard.Transfer          { return edgeshard.Transfer{} }

// throughputs observes tokens a second, by stretches of them.
type throughputs struct {
	batchMeans
	last time.Duration
}

func (o *throughputs) Text(int, int, string) {}
func (o *throughputs) Span(s edgeshard.Span) {
	if s.What == edgeshard.Token {
		o.add((s.End - o.last).Seconds())
		o.last = s.End
	}
}

// TestClosedTandem: K micro-batches that circle through stages of exponential
// times are a closed queueing network; mean value analysis gives its exact
// throughput (Reiser and Lavenberg, JACM 27(2), 1980).
func TestClosedTandem(t *testing.T) {
	means := []time.Duration{time.Second, 1300 * time.Millisecond, 700 * time.Millisecond, 1250 * time.Millisecond}
	for _, k := range []int{1, 3, 8} {
		p := tandem(len(means), k)
		sc := &scenarios.Scenario{Seed: 5, Devices: []scenarios.Device{{Name: "*", Noise: &scenarios.Noise{Distribution: "exponential"}}}}
		o := &throughputs{batchMeans: batchMeans{warm: 5000, per: 10_000}}
		p.Workload.Tokens = (5000+300_000)/k + 1
		p.Model.Config.Context = 1 << 20
		if err := (&sim.Runner{Costs: tandemCosts{means}, Scenario: sc}).Run(context.Background(), p, o); err != nil {
			t.Fatal(err)
		}
		o.check(t, fmt.Sprintf("time between tokens with %d micro-batches", k), 1/mva(means, k))
	}
}

// tandem is a plan of one unit a stage, on as many devices.
func tandem(stages, k int) *edgeshard.Plan {
	p := fixedPlan(k, k)
	p.Model.Config.Layers = stages - 2
	p.Topology, p.Stages = &topologies.Topology{Name: "tandem"}, nil
	for i := range stages {
		name := fmt.Sprintf("d%d", i)
		p.Topology.Devices = append(p.Topology.Devices, topologies.Device{Name: name, Memory: 1 << 50})
		p.Stages = append(p.Stages, edgeshard.Stage{Name: name, Device: i, From: i, To: i + 1})
	}
	p.Workload.PromptTokens = 1
	return p
}

// mva returns the throughput of k customers in a closed network of queues.
func mva(means []time.Duration, k int) (throughput float64) {
	queue := make([]float64, len(means))
	for n := 1; n <= k; n++ {
		cycle := 0.0
		for i, m := range means {
			cycle += m.Seconds() * (1 + queue[i])
		}
		throughput = float64(n) / cycle
		for i, m := range means {
			queue[i] = throughput * m.Seconds() * (1 + queue[i])
		}
	}
	return throughput
}
