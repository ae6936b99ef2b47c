package experiments_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/experiments"
)

// TestSettings holds that settings of topologies do what they say: each case has
// the same predicted time per token as the one it must equal.
func TestSettings(t *testing.T) {
	const head = "[base]\nmodel = \"llama2-7b\"\nsolver = \"cloud-even\"\ntopology = \"edgeshard-testbed\"\n"
	tpot := func(text string) float64 {
		t.Helper()
		results, err := (&experiments.Sweep{Spec: parse(t, head+text)}).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if results[0].Status != experiments.OK {
			t.Fatalf("%s: %s", text, results[0].Error)
		}
		return results[0].Figures["predicted_tpot_ms"]
	}
	plain := tpot("")
	fast := tpot("\"link.source<>cloud.bandwidth\" = \"50Mbps\"")
	if fast >= plain {
		t.Errorf("%g ms over 50 Mbps, %g over 1", fast, plain)
	}
	for text, want := range map[string]float64{
		"\"link.*.bandwidth\" = \"50Mbps\"":                                                  fast,
		"\"link.*.bandwidth\" = \"9Mbps\"\n\"link.agx-1<>rtx3090.bandwidth\" = \"50Mbps\"":   fast,
		"\"link.agx-1>rtx3090.bandwidth\" = \"50Mbps\"\n\"link.agx<>*.latency\" = \"2.1ms\"": fast + backMS(1) - backMS(50),
		"device.agx.count = 3": plain, "device.agx.count = 40": plain,
		"device.nx.slowdown = 7": plain, "source = \"agx-1\"\ncloud = \"rtx3090\"": plain,
	} {
		if got := tpot(text); got < want-1e-5 || got > want+1e-5 {
			t.Errorf("%s: %g ms, want %g", text, got, want)
		}
	}
}

// backMS is the time of a returning token's 4 bytes.
func backMS(mbps float64) float64 { return 0.032 / mbps }

// TestPointsAreStable holds that points, their seeds among them, are the same each
// time, and that common seeds are equal at all points of a repeat.
func TestPointsAreStable(t *testing.T) {
	const text = "repeats = 3\ndesign = \"random\"\nsamples = 20\nseed = 7\n[base]\nmodel = \"demo\"\ntopology = \"local-3\"\n" +
		"[[axis]]\nkey = \"rate_per_s\"\nfrom = 0.1\nto = 10\nscale = \"log\"\n[[axis]]\nkey = \"solver\"\nvalues = [\"exact\", \"solo\"]\n"
	list := func(text string) (settings [][]experiments.Setting, seeds []uint64) {
		points, err := parse(t, text).Points()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range points {
			settings, seeds = append(settings, p.Settings), append(seeds, p.Seed)
		}
		return settings, seeds
	}
	a, seeds := list(text)
	b, again := list(text)
	if diff := cmp.Diff(a, b) + cmp.Diff(seeds, again); diff != "" || len(a) != 60 {
		t.Errorf("%d points, differing:\n%s", len(a), diff)
	}
	distinct := make(map[uint64]bool)
	for _, s := range seeds {
		distinct[s] = true
	}
	if len(distinct) != 3 {
		t.Errorf("%d common seeds of 3 repeats", len(distinct))
	}
	_, own := list("seeds = \"independent\"\n" + text)
	clear(distinct)
	for _, s := range own {
		distinct[s] = true
	}
	if len(distinct) != 60 {
		t.Errorf("%d independent seeds of 60 points", len(distinct))
	}
}

// TestEnergyFigures holds that a point solved for energy tells the energy and its
// bound, and one solved for latency none.
func TestEnergyFigures(t *testing.T) {
	for objective, energy := range map[string]bool{"energy": true, "latency": false} {
		spec := parse(t, "[base]\nmodel = \"llama2-7b\"\ntopology = \"edgeshard-testbed\"\nobjective = \""+objective+"\"\n")
		results, err := (&experiments.Sweep{Spec: spec}).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		f := results[0].Figures
		if f["proved"] != 1 || f["lower_bound_mj"] != f["objective_mj"] || (f["objective_mj"] > 0) != energy || (f["lower_bound_ms"] == 0) != energy {
			t.Errorf("%s: %s %v", objective, results[0].Error, f)
		}
	}
}
