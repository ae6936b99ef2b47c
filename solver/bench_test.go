package solver_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// solveOnce reports a solve's gap in per cent and whether it was proved.
func solveOnce(b *testing.B, p *solver.Problem, o solver.Options) *solver.Result {
	r, err := solver.Solve(context.Background(), p, o)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(100*r.Gap(), "%gap")
	proved := 0.0
	if r.Proved {
		proved = 1
	}
	b.ReportMetric(proved, "proved")
	return r
}

func BenchmarkTestbed(b *testing.B) {
	for _, model := range []string{"llama2-7b", "llama2-13b", "llama2-70b"} {
		for _, objective := range []edgeshard.Objective{edgeshard.Latency, edgeshard.Throughput} {
			b.Run(model+"/"+string(objective), func(b *testing.B) {
				w := edgeshard.DefaultWorkload()
				if objective == edgeshard.Throughput {
					w = wide()
				}
				j := job(b, "edgeshard-testbed", model, w)
				for b.Loop() {
					p, err := solver.New(j.Spec(), w, solver.Options{Objective: objective})
					if err != nil {
						b.Fatal(err)
					}
					solveOnce(b, p, solver.Options{})
				}
			})
		}
	}
}

// BenchmarkWarm solves the testbed again after the link to the cloud changed.
func BenchmarkWarm(b *testing.B) {
	for _, model := range []string{"llama2-7b", "llama2-13b", "llama2-70b"} {
		b.Run(model, func(b *testing.B) {
			j := job(b, "edgeshard-testbed", model, edgeshard.DefaultWorkload())
			_, hint, err := solver.Plan(context.Background(), j, solver.Options{})
			if err != nil {
				b.Fatal(err)
			}
			l := j.Topology.Link(1, 14)
			l.Bandwidth = l.Bandwidth * 4 / 5
			if j.Topology, err = j.Topology.WithLink(1, 14, l); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, err := solver.Plan(context.Background(), j, solver.Options{Hint: hint}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var scaleDeadline = flag.Duration("scale-deadline", 0, "of BenchmarkScale, instead of each size's own")

// BenchmarkScale solves seeded clusters of 64, 256 and 1,000 devices. It is long:
// run it with -benchtime 1x.
func BenchmarkScale(b *testing.B) {
	for _, c := range []struct {
		name     string
		size     string
		seeds    uint64
		deadline time.Duration
	}{{"80x64", "64", 10, 10 * time.Second}, {"128x256", "256", 3, 10 * time.Second}, {"80x1000", "1000", 3, 5 * time.Second}} {
		for _, k := range []int{0, 8, 64} {
			for seed := range c.seeds {
				p := solver.Clusters[c.size].Problem(seed + 1)
				name := fmt.Sprintf("%s/latency/seed%d", c.name, seed+1)
				if k > 0 {
					p.Objective, p.MicroBatches = edgeshard.Throughput, k
					name = fmt.Sprintf("%s/throughput-%d/seed%d", c.name, k, seed+1)
				}
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						solveOnce(b, p, solver.Options{Deadline: cmp.Or(*scaleDeadline, c.deadline)})
					}
				})
			}
		}
	}
}

// BenchmarkTwoToTheM solves Llama2-7B for throughput on seeded random clusters of
// distinct devices with the paper's algorithm, which has 2^M states, and with exact.
func BenchmarkTwoToTheM(b *testing.B) {
	for _, devices := range []uint64{9, 11, 13, 15} {
		for _, name := range []string{"edgeshard", solver.Exact} {
			b.Run(fmt.Sprintf("%d/%s", devices, name), func(b *testing.B) {
				j := randomJob(b, devices-3+4*13, wide())
				p, err := solver.New(j.Spec(), wide(), solver.Options{Objective: edgeshard.Throughput})
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					r := solveOnce(b, p, solver.Options{Solver: name, Deadline: time.Minute})
					b.ReportMetric(float64(r.Objective())/1e6, "ms/round")
				}
			})
		}
	}
}
