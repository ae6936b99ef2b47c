package tui

import (
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/topologies"
)

// BenchmarkFrame draws the largest screen while a simulation of the paper's 15
// devices is played.
func BenchmarkFrame(b *testing.B) {
	d := drive(b, ask(b, "edgeshard-testbed", "llama2-70b").with70B(), 200, 60)
	d.keys("r")
	if d.m.run.tape == nil || d.m.run.tape.spans < 100 {
		b.Fatal("no run")
	}
	for b.Loop() {
		d.m.run.at = (d.m.run.at + 10*time.Millisecond) % d.m.run.tape.end
		_ = d.m.View()
	}
}

// BenchmarkPlanFrame draws the plan's screen.
func BenchmarkPlanFrame(b *testing.B) {
	d := drive(b, ask(b, "edgeshard-testbed", "llama2-7b"), 200, 60)
	for b.Loop() {
		_ = d.m.View()
	}
}

// BenchmarkLargeFrame draws the plan's screen of 1,000 devices.
func BenchmarkLargeFrame(b *testing.B) {
	q := ask(b, "home-lab", "llama2-7b")
	q.Topology = topologies.Random(7, 1000)
	d := drive(b, q, 200, 60)
	for b.Loop() {
		_ = d.m.View()
	}
}

// with70B makes the question one that takes all devices.
func (q Question) with70B() Question {
	q.Workload.Tokens = 512
	return q
}
