package exec_test

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/topologies"
)

var (
	chaosRuns      = flag.Int("chaos", 24, "runs of TestChaos, within the process")
	chaosProcesses = flag.Int("chaos-processes", 3, "and with worker processes")
	chaosSeed      = flag.Uint64("chaos-seed", 1, "seed of the first run; each run has the next")
)

// TestChaos: whatever plan runs whatever requests, and whatever fails whenever,
// every request gets the tokens of an undisturbed run on one node, once each.
// docs/reliability.md has the figures of a long run.
func TestChaos(t *testing.T) {
	tally := &chaosTally{times: make(map[string][]chaosTimes)}
	t.Run("runs", func(t *testing.T) {
		for i := range *chaosRuns + *chaosProcesses {
			c := newChaos(*chaosSeed+uint64(i), i >= *chaosRuns)
			t.Run(fmt.Sprintf("seed %d", c.seed), func(t *testing.T) {
				t.Parallel()
				c.run(t, tally)
			})
		}
	})
	tally.log(t)
}

// A chaos is a run in which things fail, drawn from a seed.
type chaos struct {
	seed      uint64
	rng       *rand.Rand
	processes bool
}

func newChaos(seed uint64, processes bool) *chaos {
	return &chaos{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6368616f73)), processes: processes}
}

func (c *chaos) run(t *testing.T, tally *chaosTally) {
	w := c.workload()
	single := run(t, inMemory(), plan(t, "demo", devices(t, 1), w, cut{0, 10}))
	top := c.topology(t)
	p := plan(t, "demo", top, w, c.cuts(len(top.Devices))...)
	faults, kinds := c.faults(top)
	r, pids := inMemory(), (*pidLog)(nil)
	r.Timeout = exec.DefaultTimeout
	if c.processes {
		r, pids = watched(t, 0)
		r.Emulate = true
	}
	r.Replan, r.Scenario = replan, script(t, p, faults)
	rec, err := try(t.Context(), r, p)
	if err != nil {
		t.Fatalf("%v\nplan %v\n%s", err, p.Stages, faults)
	}
	if diff := gocmp.Diff(single.tokens, rec.tokens); diff != "" {
		t.Errorf("tokens of one node (-) and of the plan %v (+):\n%s\n%s", p.Stages, diff, faults)
	}
	if got, want := len(rec.whats(edgeshard.Token)), tokensOf(single); got != want {
		t.Errorf("%d tokens are told of: want %d\n%s", got, want, faults)
	}
	if pids != nil {
		allGone(t, pids)
	}
	rep := edgeshard.NewReport("exec", p, rec.spans)
	for _, r := range rep.Recoveries {
		if r.DetectionMS > 2000 || r.ReplanMS+r.LoadMS+r.RebuildMS > 2000 {
			t.Logf("%+v\n%s %d/%d, %v\n%s", r, w.Schedule, w.MicroBatch, w.Batch, p.Stages, faults)
		}
	}
	tally.add(rep, kinds)
}

func tokensOf(rec *recording) (n int) {
	for _, ids := range rec.tokens {
		n += len(ids)
	}
	return n
}

// workload draws requests: how many, how they run together and are sampled.
func (c *chaos) workload() edgeshard.Workload {
	w := demoWorkload()
	w.Requests, w.Tokens, w.Seed = 3+c.rng.IntN(6), 10+c.rng.IntN(40), c.rng.Uint64()
	w.Batch = 1 + c.rng.IntN(w.Requests)
	w.MicroBatch = 1 + c.rng.IntN(w.Batch)
	w.Schedule = []edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles}[c.rng.IntN(3)]
	w.IgnoreEOS = c.rng.IntN(2) == 0
	if c.rng.IntN(2) == 0 {
		w.Admission = edgeshard.ContinuousAdmission
	}
	if c.rng.IntN(3) == 0 {
		w.Return = edgeshard.ReturnLogits
	}
	if c.rng.IntN(2) == 0 {
		w.Temperature, w.TopP = 0.9, 0.95
	}
	return w
}

// topology draws devices, with links that are fast enough not to hold tests up.
func (c *chaos) topology(t *testing.T) *topologies.Topology {
	top := devices(t, 3+c.rng.IntN(3))
	for i := range top.Devices {
		top.Devices[i].Slowdown = 1 + float64(c.rng.IntN(3))
	}
	link := func(int, int) topologies.Link {
		return topologies.Link{Bandwidth: topologies.BitRate(5e7 + 1e9*c.rng.Float64()), Latency: time.Duration(c.rng.IntN(500)) * time.Microsecond}
	}
	top, err := topologies.New("chaos", top.Devices, 0, link)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// cuts draws stages, with revisits.
func (c *chaos) cuts(devices int) []cut {
	cuts := []cut{{0, 1 + c.rng.IntN(3)}}
	for last := cuts[0]; last.to < 10; last = cuts[len(cuts)-1] {
		next := (last.device + 1 + c.rng.IntN(devices-1)) % devices
		cuts = append(cuts, cut{next, min(10, last.to+1+c.rng.IntN(4))})
	}
	return cuts
}

// faults draws one to three faults, and returns them as a script and by device.
func (c *chaos) faults(top *topologies.Topology) (text string, kinds map[string]string) {
	kinds = make(map[string]string)
	for range 1 + c.rng.IntN(3) {
		when := fmt.Sprintf("token = %d", 1+c.rng.IntN(60))
		if c.rng.IntN(4) == 0 {
			when = fmt.Sprintf("at = %q", time.Duration(c.rng.IntN(int(50*time.Millisecond))))
		}
		a := c.rng.IntN(len(top.Devices))
		b := (a + 1 + c.rng.IntN(len(top.Devices)-1)) % len(top.Devices)
		from, to := top.Devices[a].Name, top.Devices[b].Name
		what := ""
		switch kind := []string{"kill", "freeze", "slow", "cut", "half cut", "degrade"}[c.rng.IntN(6)]; {
		case kind == "cut":
			what = fmt.Sprintf("between = [%q, %q]\ndo = \"cut\"", from, to)
		case kind == "half cut":
			what = fmt.Sprintf("from = %q\nto = %q\ndo = \"cut\"", from, to)
		case kind == "degrade" && c.processes:
			what = fmt.Sprintf("between = [%q, %q]\ndo = \"degrade\"\nfactor = 0.1", from, to)
		case kind == "slow" && c.processes:
			what = fmt.Sprintf("device = %q\ndo = \"slow\"\nfactor = 10", from)
			kinds[from] = kind
		case kind == "freeze":
			what = fmt.Sprintf("device = %q\ndo = \"freeze\"", from)
			kinds[from] = kind
		default:
			what = fmt.Sprintf("device = %q\ndo = \"kill\"", from)
			kinds[from] = "kill"
		}
		if c.rng.IntN(3) == 0 {
			what += fmt.Sprintf("\nfor = %q", time.Duration(c.rng.IntN(int(3*time.Second))))
		}
		text += "[[fault]]\n" + when + "\n" + what + "\n"
	}
	return text + "[recovery]\npolicy = \"replan\"\n", kinds
}

// A chaosTally gathers what recoveries took, by what had failed.
type chaosTally struct {
	mu    sync.Mutex
	runs  int
	times map[string][]chaosTimes
}

// chaosTimes are in ms: until a failure was known, and from then until the last
// KV cache was there again.
type chaosTimes struct{ detection, recovery float64 }

func (y *chaosTally) add(rep *edgeshard.Report, kinds map[string]string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.runs++
	for _, r := range rep.Recoveries {
		kind := cmp.Or(kinds[r.Device], "other")
		if r.To != "" {
			kind = "link"
		}
		y.times[kind] = append(y.times[kind], chaosTimes{r.DetectionMS, r.ReplanMS + r.LoadMS + r.RebuildMS})
	}
}

// log tells the times as tables and as a histogram.
func (y *chaosTally) log(t *testing.T) {
	t.Logf("%d runs", y.runs)
	for _, kind := range slices.Sorted(mapKeys(y.times)) {
		var detection, recovery []float64
		for _, x := range y.times[kind] {
			detection, recovery = append(detection, x.detection), append(recovery, x.recovery)
		}
		t.Logf("%-7s %4d recoveries: detection %s; recovery %s", kind, len(detection), spread(detection), spread(recovery))
		t.Logf("detection %s\n%s", kind, histogram(detection))
		t.Logf("recovery %s\n%s", kind, histogram(recovery))
	}
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// spread is the median and the tail of values in ms.
func spread(ms []float64) string {
	slices.Sort(ms)
	at := func(p int) float64 { return ms[(len(ms)*p+99)/100-1] }
	return fmt.Sprintf("p50 %.0f, p90 %.0f, p99 %.0f, max %.0f ms", at(50), at(90), at(99), ms[len(ms)-1])
}

// histogram draws values in ms in bins of half an octave.
func histogram(ms []float64) string {
	bounds := []float64{1, 3, 10, 30, 100, 300, 600, 1000, 1300, 1600, 2000, 3000, 1e9}
	counts := make([]int, len(bounds))
	for _, v := range ms {
		i, _ := slices.BinarySearch(bounds, v)
		counts[i]++
	}
	text := ""
	for i, n := range counts {
		if n > 0 {
			text += fmt.Sprintf("  ≤ %6.0f ms %5d %s\n", bounds[i], n, strings.Repeat("█", (n*60+len(ms)-1)/len(ms)))
		}
	}
	return text
}
