package experiments_test

import (
	"context"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/experiments"
)

// testbedSweep is 10,000 points of the paper's testbed, each solved and simulated
// with 8 requests.
const testbedSweep = `
name = "testbed"
[base]
model = "llama2-7b"
topology = "edgeshard-testbed"
requests = 8
[[axis]]
key = "link.source<>cloud.bandwidth"
name = "mbps"
unit = "Mbps"
from = 1
to = 50
steps = 50
[[axis]]
key = "device.rtx3090.usable"
name = "gib"
unit = "GiB"
from = 10
to = 22
steps = 25
[[axis]]
key = "solver"
values = ["exact", "edgeshard"]
[[axis]]
keys = ["batch", "micro_batch"]
values = [[1, 1], [8, 2]]
[[axis]]
key = "objective"
values = ["latency", "throughput"]
`

// BenchmarkPoints runs points drawn evenly from the sweep of 10,000, none cached:
// ms/op times 10,000 is the whole sweep on one core.
func BenchmarkPoints(b *testing.B) {
	text := strings.Replace(testbedSweep, `name = "testbed"`, "name = \"testbed\"\ndesign = \"lhs\"\nsamples = 200", 1)
	for b.Loop() {
		spec, err := experiments.ParseSpec("bench.toml", []byte(text))
		if err != nil {
			b.Fatal(err)
		}
		s := experiments.Sweep{Spec: spec, Workers: 1}
		if _, err := s.Run(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(200*b.N), "ms/point")
}
