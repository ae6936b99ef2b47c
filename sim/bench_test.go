package sim_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/topologies"
)

// pastCosts are of the testbed's order: a block takes 1 ms and a little more for
// every position, a message 2 ms.
type pastCosts struct{}

func (pastCosts) Compute(device, unit int, p models.Pass) time.Duration {
	return time.Millisecond + time.Duration(p.Past*unit+device)*time.Microsecond
}

func (pastCosts) Transfer(from, to int, bytes int64) edgeshard.Transfer {
	if from == to {
		return edgeshard.Transfer{}
	}
	return edgeshard.Transfer{Occupancy: time.Duration(bytes) * 160, Latency: 2 * time.Millisecond}
}

// testbed is a plan of Llama2-7B's 34 units over some of 15 devices.
func testbed(stages, requests, batch, micro int) *edgeshard.Plan {
	model := smallModel(32)
	p := &edgeshard.Plan{
		Model:    edgeshard.ModelRef{Ref: "small", Config: model},
		Topology: &topologies.Topology{Name: "testbed", Devices: make([]topologies.Device, 15)},
		Workload: edgeshard.DefaultWorkload(),
	}
	for i := range p.Topology.Devices {
		p.Topology.Devices[i] = topologies.Device{Name: fmt.Sprintf("d%d", i), Memory: 1 << 40}
	}
	for i := range stages {
		from, to := i*model.Units()/stages, (i+1)*model.Units()/stages
		p.Stages = append(p.Stages, edgeshard.Stage{Name: p.Topology.Devices[i].Name, Device: i, From: from, To: to})
	}
	p.Workload.Requests, p.Workload.Batch, p.Workload.MicroBatch = requests, batch, micro
	return p
}

func BenchmarkRequests(b *testing.B) {
	for _, c := range []struct {
		name      string
		requests  int
		rate      float64
		admission edgeshard.Admission
		slow      bool
	}{
		{"batches/requests=1000", 1000, 0, "", false},
		{"batches/requests=10000", 10_000, 0, "", false},
		{"batches/requests=100000", 100_000, 0, "", false},
		{"batches-slow-path/requests=1000", 1000, 0, "", true},
		{"batches-slow-path/requests=10000", 10_000, 0, "", true},
		{"arrivals/requests=1000", 1000, 2, edgeshard.ContinuousAdmission, false},
		{"arrivals/requests=10000", 10_000, 2, edgeshard.ContinuousAdmission, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := testbed(12, c.requests, 8, 1)
			p.Workload.Rate, p.Workload.Admission = c.rate, c.admission
			r := sim.Runner{Costs: pastCosts{}, SlowPath: c.slow}
			for range b.N {
				recorder := edgeshard.NewRecorder(p)
				if err := r.Run(context.Background(), p, recorder); err != nil {
					b.Fatal(err)
				}
				if rep := recorder.Report("sim"); rep.Requests != c.requests {
					b.Fatalf("%d requests, want %d", rep.Requests, c.requests)
				}
			}
			b.ReportMetric(float64(b.N*c.requests)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// BenchmarkEightRequests is one answer while somebody types.
func BenchmarkEightRequests(b *testing.B) {
	p := testbed(12, 8, 8, 1)
	for range b.N {
		recorder := edgeshard.NewRecorder(p)
		if err := (&sim.Runner{Costs: pastCosts{}}).Run(context.Background(), p, recorder); err != nil {
			b.Fatal(err)
		}
		recorder.Report("sim")
	}
}
