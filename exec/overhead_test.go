package exec_test

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

var (
	overheadRounds   = flag.Int("overhead", 0, "rounds of TestOverhead; 0: it is skipped")
	overheadModel    = flag.String("overhead-model", "demo", "checkpoint that it runs")
	overheadRequests = flag.Int("overhead-requests", 40, "requests of a run, of 100 tokens each")
	overheadBatch    = flag.Int("overhead-batch", 4, "sequences run together; 1: a worker at a time computes")
	overheadOnly     = flag.Bool("overhead-total", false, "measure with all and with none alone")
)

// TestOverhead measures what security, beats, recovery and the journal cost when
// nothing fails: tokens a second of a run on two worker processes with each of them
// alone, with all and with none, in turn. A timeout of an hour has a beat every
// three minutes, which is as good as none. It is for a quiet machine; the figures
// are in docs/reliability.md.
func TestOverhead(t *testing.T) {
	if *overheadRounds == 0 {
		t.Skip("a measurement: -overhead 10")
	}
	bare := exec.Options{Local: processes(t), Threads: 1, Insecure: true, Timeout: time.Hour}
	kinds := []struct {
		name    string
		options func(o *exec.Options)
		journal bool
	}{
		{"none", func(*exec.Options) {}, false},
		{"TLS", func(o *exec.Options) { o.Insecure = false }, false},
		{"beats", func(o *exec.Options) { o.Timeout = 0 }, false},
		{"recovery", func(o *exec.Options) { o.Replan = replan }, false},
		{"journal", func(*exec.Options) {}, true},
		{"all", func(o *exec.Options) { o.Insecure, o.Timeout, o.Replan = false, 0, replan }, true},
	}
	if *overheadOnly {
		kinds = append(kinds[:1], kinds[len(kinds)-1])
	}
	speeds := make([][]float64, len(kinds))
	shares := make([][]float64, len(kinds)) // of the speed without any, in the same round
	for round := range *overheadRounds {
		for i := range kinds {
			k := &kinds[(i+round)%len(kinds)]
			o := bare
			k.options(&o)
			speeds[(i+round)%len(kinds)] = append(speeds[(i+round)%len(kinds)], speedOf(t, o, k.journal))
		}
		for i := range kinds {
			shares[i] = append(shares[i], 100*(1-speeds[i][round]/speeds[0][round]))
		}
	}
	for i, k := range kinds {
		slices.Sort(speeds[i])
		slices.Sort(shares[i])
		n := *overheadRounds
		t.Logf("%-9s median %7.1f tokens/s; less than none by %5.2f %% (quartiles %5.2f, %5.2f)", k.name, speeds[i][n/2], shares[i][n/2], shares[i][n/4], shares[i][3*n/4])
	}
}

// speedOf returns the tokens a second of a run, from the times between a request's
// tokens but for the slowest and the fastest twentieth, which are the machine's.
func speedOf(t *testing.T, o exec.Options, journal bool) float64 {
	t.Helper()
	w := edgeshard.Workload{
		Requests: *overheadRequests, PromptTokens: 16, Tokens: 100, Batch: *overheadBatch, MicroBatch: (*overheadBatch + 1) / 2,
		Schedule: edgeshard.NoBubbles, Return: edgeshard.ReturnToken, IgnoreEOS: true,
	}
	p := halves(t, *overheadModel, w)
	if journal {
		j, err := exec.CreateJournal(filepath.Join(t.TempDir(), "journal"), p)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		o.Journal = j
	}
	var gaps []float64
	for _, s := range run(t, &exec.Runner{Options: o}, p).whats(edgeshard.Token) {
		if s.Step > 0 {
			gaps = append(gaps, (s.End - s.Start).Seconds())
		}
	}
	slices.Sort(gaps)
	sum := 0.0
	gaps = gaps[len(gaps)/20 : len(gaps)-len(gaps)/20]
	for _, g := range gaps {
		sum += g
	}
	return float64(w.Batch) / (sum / float64(len(gaps)))
}

// halves is a plan of a model in two halves.
func halves(t *testing.T, model string, w edgeshard.Workload) *edgeshard.Plan {
	t.Helper()
	ref, err := edgeshard.LoadModel(model)
	if err != nil {
		t.Fatal(err)
	}
	top := devices(t, 2)
	for i := range top.Devices {
		top.Devices[i].Memory, top.Devices[i].Usable = 8<<30, 8<<30
	}
	n := ref.Config.Units()
	p := plan(t, model, top, w, cut{0, n / 2}, cut{1, n})
	p.Model = ref
	return p
}
