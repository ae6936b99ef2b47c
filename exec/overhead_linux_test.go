package exec_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/internal/sample"
)

var (
	overheadPairs  = flag.Int("overhead-pairs", 20, "pairs of turns of BenchmarkOverhead, of each start")
	overheadModel  = flag.String("overhead-model", "demo", "checkpoint that it runs")
	overheadTokens = flag.Int("overhead-tokens", 100, "tokens of each sequence in a turn")
	overheadBatch  = flag.Int("overhead-batch", 4, "sequences run together; 1: a worker at a time computes")
)

// BenchmarkOverhead measures what security, beats, recovery and the journal cost when
// nothing fails: each of them alone, and all. Two runs of one plan, with it and
// without, on two worker processes each, stand still in turn while the other decodes a
// batch, in the order ABBA, so that the two turns of a pair have the machine in much
// the same state. Each iteration starts them anew, since where a process' memory lies
// makes a difference, too. A timeout of an hour has a beat every three minutes, which is as
// good as none. docs/reliability.md has the figures.
func BenchmarkOverhead(b *testing.B) {
	bare := exec.Options{Local: processes(b), Threads: 1, Insecure: true, Timeout: time.Hour}
	for _, k := range []struct {
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
	} {
		b.Run(k.name, func(b *testing.B) {
			with := bare
			k.options(&with)
			order := [2]func() *contestant{
				func() *contestant { return newContestant(b, bare, false, false) },
				func() *contestant { return newContestant(b, with, k.journal, true) },
			}
			var all []series
			for b.Loop() {
				all = append(all, compare(b, order))
				order[0], order[1] = order[1], order[0]
			}
			report(b, all)
		})
	}
}

// A series is what was seen of two starts: in each pair of turns, by how many per cent
// longer the one with took, and how much more processor time.
type series struct{ slower, dearer, speed []float64 }

// compare starts both runs, and has them decode batches in turn.
func compare(b *testing.B, order [2]func() *contestant) (s series) {
	first, second := order[0](), order[1]()
	without, with := first, second
	if first.with {
		without, with = second, first
	}
	for pair := range *overheadPairs + 1 {
		var x, y turn
		if pair%2 == 0 {
			x, y = without.next(b), with.next(b)
		} else {
			y, x = with.next(b), without.next(b)
		}
		if pair == 0 {
			continue // cold
		}
		s.slower = append(s.slower, 100*(float64(y.took)/float64(x.took)-1))
		s.dearer = append(s.dearer, 100*(float64(y.cpu)/float64(x.cpu)-1))
		s.speed = append(s.speed, float64((*overheadTokens-1)**overheadBatch)/x.took.Seconds())
	}
	without.end(b)
	with.end(b)
	return s
}

// report tells the medians with their intervals.
func report(b *testing.B, all []series) {
	values := func(of func(series) []float64) (out [][]float64) {
		for _, s := range all {
			out = append(out, of(s))
		}
		return out
	}
	slower := values(func(s series) []float64 { return s.slower })
	dearer := values(func(s series) []float64 { return s.dearer })
	speed := values(func(s series) []float64 { return s.speed })
	b.ReportMetric(sample.Median(slices.Concat(speed...)), "tokens/s")
	for what, v := range map[string][][]float64{"time": slower, "cpu": dearer} {
		low, high := interval(v)
		b.ReportMetric(sample.Median(slices.Concat(v...)), "%-more-"+what)
		b.ReportMetric(low, "%-more-"+what+"-low")
		b.ReportMetric(high, "%-more-"+what+"-high")
	}
	b.ReportMetric(0, "ns/op") // says nothing
	b.Logf("%% more time: %.2f\n%% more processor time: %.2f", slower, dearer)
}

// interval is that of the median, by bootstrap: it holds 95 of 100 medians of samples
// drawn from the starts there were, and from the pairs of each.
func interval(starts [][]float64) (low, high float64) {
	const draws = 4000
	rng := rand.New(rand.NewPCG(1, 2))
	medians := make([]float64, draws)
	for i := range medians {
		var drawn []float64
		for range starts {
			pairs := starts[rng.IntN(len(starts))]
			for range pairs {
				drawn = append(drawn, pairs[rng.IntN(len(pairs))])
			}
		}
		medians[i] = sample.Median(drawn)
	}
	slices.Sort(medians)
	return medians[draws/40], medians[draws-draws/40]
}

// A contestant is a run that stands still between two batches until it is its turn.
type contestant struct {
	with  bool // what is measured
	pids  *pidLog
	seen  int // tokens
	first time.Time
	cpu   time.Duration // of all its processes, when it began

	begin chan struct{}
	took  chan turn
	ended chan error
}

// A turn is what a batch took from its first tokens to its last.
type turn struct{ took, cpu time.Duration }

func newContestant(b *testing.B, o exec.Options, journal, with bool) *contestant {
	b.Helper()
	w := edgeshard.Workload{
		Requests: *overheadBatch * (*overheadPairs + 1), PromptTokens: 4, Tokens: *overheadTokens,
		Batch: *overheadBatch, MicroBatch: (*overheadBatch + 1) / 2,
		Schedule: edgeshard.NoBubbles, Return: edgeshard.ReturnToken, IgnoreEOS: true,
	}
	p := halves(b, *overheadModel, w)
	if journal {
		j, err := exec.CreateJournal(filepath.Join(b.TempDir(), "journal"), p)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = j.Close() })
		o.Journal = j
	}
	r, pids := watched(b, o.Timeout)
	o.Log = r.Log
	c := &contestant{with: with, pids: pids, begin: make(chan struct{}), took: make(chan turn), ended: make(chan error, 1)}
	opened := make(chan struct{})
	left := len(p.Topology.Devices)
	o.Progress = func(q exec.Progress) {
		if q.State == exec.Ready {
			if left--; left == 0 {
				close(opened)
			}
		}
	}
	go func() { c.ended <- (&exec.Runner{Options: o}).Run(context.Background(), p, c) }()
	select {
	case <-opened:
	case err := <-c.ended:
		b.Fatal(err)
	}
	return c
}

// Span holds the run up before its first batch.
func (c *contestant) Span(s edgeshard.Span) {
	if s.What == edgeshard.Queue && s.Request == 0 {
		<-c.begin
	}
}

// Text holds it up after each.
func (c *contestant) Text(int, int, string) {
	c.seen++
	switch c.seen % (*overheadBatch * *overheadTokens) {
	case *overheadBatch:
		c.first, c.cpu = time.Now(), c.used()
	case 0:
		c.took <- turn{time.Since(c.first), c.used() - c.cpu}
		<-c.begin
	}
}

// next lets the run decode a batch.
func (c *contestant) next(b *testing.B) turn {
	b.Helper()
	select {
	case c.begin <- struct{}{}:
	case err := <-c.ended:
		b.Fatal(err)
	}
	return <-c.took
}

func (c *contestant) end(b *testing.B) {
	b.Helper()
	close(c.begin)
	if err := <-c.ended; err != nil {
		b.Fatal(err)
	}
}

// used is the processor time of the run's workers and of this process so far.
func (c *contestant) used() time.Duration {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	all := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, pid := range c.pids.pids {
		var used unix.Timespec
		// The clock of a process' processor time (clock_getcpuclockid(3)).
		if unix.ClockGettime(int32(^pid<<3|2), &used) == nil {
			all += time.Duration(used.Nano())
		}
	}
	return all
}

// halves is a plan of a model in two halves.
func halves(t testing.TB, model string, w edgeshard.Workload) *edgeshard.Plan {
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
