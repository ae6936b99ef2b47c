//go:build unix

package sim_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// testbed is Llama2-7B on the paper's 15 devices, in batches of 8, by the plan of
// the most throughput.
func testbed(b *testing.B, requests int) *edgeshard.Plan {
	b.Helper()
	model, _ := models.Builtin("llama2-7b")
	job := edgeshard.Plan{
		Model: edgeshard.ModelRef{Ref: "llama2-7b", Config: model}, Topology: must(topologies.Load("edgeshard-testbed")),
		Workload: edgeshard.DefaultWorkload(), Objective: edgeshard.Throughput,
	}
	job.Workload.Batch, job.Workload.Requests = 8, 8
	p, _, err := solver.Plan(context.Background(), job, solver.Options{})
	if err != nil {
		b.Fatal(err)
	}
	p.Workload.Requests = requests
	return p
}

// cpu returns the CPU time of this process: unlike the clock, it does not count
// what others do on the machine.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// wifi is one cell that all links share, with jitter, on a trace.
const wifi = `
[[segment]]
name = "cell"
capacity = "200Mbps"
devices = ["*"]
trace = "wifi"

[[link]]
between = ["*", "*"]
jitter = { distribution = "lognormal", mean = "1ms", cv = 0.5 }
`

// runs runs a plan b.N times, to its report, and returns the CPU time that took.
func runs(b *testing.B, r *sim.Runner, p *edgeshard.Plan) time.Duration {
	b.ResetTimer()
	start := cpu()
	for range b.N {
		recorder := edgeshard.NewRecorder(p)
		if err := r.Run(context.Background(), p, recorder); err != nil {
			b.Fatal(err)
		}
		if rep := recorder.Report("sim"); rep.Requests != p.Workload.Requests {
			b.Fatalf("%d requests, want %d", rep.Requests, p.Workload.Requests)
		}
	}
	return cpu() - start
}

func BenchmarkRequests(b *testing.B) {
	for _, c := range []struct {
		name      string
		requests  int
		rate      float64
		admission edgeshard.Admission
		slow      bool
		scenario  string
	}{
		{"batches/requests=1000", 1000, 0, "", false, ""},
		{"batches/requests=10000", 10_000, 0, "", false, ""},
		{"batches/requests=100000", 100_000, 0, "", false, ""},
		{"event-by-event/requests=1000", 1000, 0, "", true, ""},
		{"event-by-event/requests=10000", 10_000, 0, "", true, ""},
		{"event-by-event/requests=100000", 100_000, 0, "", true, ""},
		{"arrivals/requests=1000", 1000, 0.5, edgeshard.ContinuousAdmission, false, ""},
		{"arrivals/requests=10000", 10_000, 0.5, edgeshard.ContinuousAdmission, false, ""},
		{"wifi/requests=1000", 1000, 0.3, edgeshard.ContinuousAdmission, false, wifi},
		{"wifi/requests=10000", 10_000, 0.3, edgeshard.ContinuousAdmission, false, wifi},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := testbed(b, c.requests)
			p.Workload.Rate, p.Workload.Admission = c.rate, c.admission
			r := sim.Runner{SlowPath: c.slow}
			if c.scenario != "" {
				r.Scenario = must(scenarios.Parse("wifi.toml", []byte(c.scenario), p.Topology))
			}
			used := runs(b, &r, p)
			b.ReportMetric(float64(b.N*c.requests)/used.Seconds(), "requests/cpu-s")
			b.ReportMetric(used.Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}

// BenchmarkEightRequests is one answer while somebody types.
func BenchmarkEightRequests(b *testing.B) {
	p := testbed(b, 8)
	used := runs(b, &sim.Runner{}, p)
	b.ReportMetric(float64(used.Microseconds())/float64(b.N)/1e3, "cpu-ms/op")
}
