package exec_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// asWorker makes the test binary a local worker's process.
const asWorker = "run-as-a-local-worker"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == asWorker {
		os.Exit(work())
	}
	goleak.VerifyTestMain(m)
}

// work is a local worker's process.
func work() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := exec.ServeLocal(ctx, os.Stdin, os.Stdout, exec.WorkerOptions{Version: "test"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// processes makes a Runner start worker processes.
func processes(t testing.TB) []string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{path, asWorker}
}

// devices returns a topology of n devices, with fast links between all.
func devices(t testing.TB, n int) *topologies.Topology {
	t.Helper()
	list := make([]topologies.Device, n)
	for i := range list {
		list[i] = topologies.Device{Name: fmt.Sprintf("d%d", i), Memory: 1 << 30, Usable: 1 << 30, FLOPS: 1e11, MemoryBandwidth: 1e10}
	}
	link := topologies.Link{Bandwidth: 1e9, Latency: 100 * time.Microsecond}
	top, err := topologies.New("test", list, 0, func(int, int) topologies.Link { return link })
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// A cut is a stage's device and where its units end.
type cut struct{ device, to int }

// plan returns a plan for a model with stages that end at the cuts.
func plan(t testing.TB, ref string, top *topologies.Topology, w edgeshard.Workload, cuts ...cut) *edgeshard.Plan {
	t.Helper()
	c, err := models.ConfigOf(ref)
	if err != nil {
		t.Fatal(err)
	}
	p := &edgeshard.Plan{
		Model: edgeshard.ModelRef{Ref: ref, Precision: models.F16, Config: c}, Topology: top, Workload: w,
	}
	from := 0
	for _, s := range cuts {
		p.Stages = append(p.Stages, edgeshard.Stage{Name: top.Devices[s.device].Name, Device: s.device, From: from, To: s.to})
		from = s.to
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

// A recording is what an observer has been told.
type recording struct {
	spans  []edgeshard.Span
	tokens map[int][]int
	text   map[int]string
}

func (r *recording) Span(s edgeshard.Span) { r.spans = append(r.spans, s) }

func (r *recording) Text(request, token int, text string) {
	r.tokens[request] = append(r.tokens[request], token)
	r.text[request] += text
}

// run runs a plan and returns what was observed.
func run(t *testing.T, r edgeshard.Runner, p *edgeshard.Plan) *recording {
	t.Helper()
	rec, err := try(t.Context(), r, p)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func try(ctx context.Context, r edgeshard.Runner, p *edgeshard.Plan) (*recording, error) {
	rec := &recording{tokens: make(map[int][]int), text: make(map[int]string)}
	err := r.Run(ctx, p, rec)
	return rec, err
}

// ample is a silence that no worker which lives falls into, on the slowest machine.
// With it a clock has its first handshakes alone, so that all times of a worker are
// related to the coordinator's by the same offset.
const ample = time.Hour

// inMemory runs workers within the test, one thread each. Where something is to
// fail, the silence that counts must be set.
func inMemory() *exec.Runner {
	return &exec.Runner{Options: exec.Options{Threads: 1, Timeout: ample}}
}

// demoWorkload is three prompts of different length, and a random one.
func demoWorkload() edgeshard.Workload {
	return edgeshard.Workload{
		Requests: 4, PromptTokens: 12, Tokens: 12, Batch: 1, MicroBatch: 1,
		Schedule: edgeshard.NoBubbles, Return: edgeshard.ReturnToken, Seed: 7,
		Prompts: []string{"Once upon a time", "", "One day, Mira"},
	}
}

// testdata returns a file outside the project, or skips the test.
func testdata(t *testing.T, path string) string {
	t.Helper()
	dir := os.Getenv("EDGESHARD_TESTDATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	full := filepath.Join(dir, path)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("no test data: %v", err)
	}
	return full
}

// whats returns the spans of a kind.
func (r *recording) whats(w edgeshard.What) []edgeshard.Span {
	return slices.DeleteFunc(slices.Clone(r.spans), func(s edgeshard.Span) bool { return s.What != w })
}

// An actor does something at the n-th token of a run.
type actor struct {
	recording
	n   int
	act func()
}

func newActor(n int, act func()) *actor {
	return &actor{recording{tokens: make(map[int][]int), text: make(map[int]string)}, n, act}
}

func (a *actor) Text(request, token int, text string) {
	a.recording.Text(request, token, text)
	if a.n--; a.n == 0 {
		a.act()
	}
}
