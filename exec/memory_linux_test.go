package exec_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/models"
)

// roomyModel writes a model whose KV caches are much of what it needs.
func roomyModel(t *testing.T) string {
	t.Helper()
	shape := models.Config{
		Name: "roomy", Vocab: 512, Dim: 512, Hidden: 256, Layers: 7, Heads: 8, KVHeads: 8,
		Context: 1024, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	}
	var b bytes.Buffer
	if err := models.WriteSynth(t.Context(), &b, shape, models.F16, 0, 3); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "roomy.gguf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// dataOf returns the bytes of private memory that a process may write to.
func dataOf(t *testing.T, pid int) (n uint64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmData:")
	if _, err := fmt.Sscanf(rest, "%d kB", &n); err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// TestNoMoreMemory: a worker that the system gives no more memory while it runs is
// a failure like any other, and tells of it.
func TestNoMoreMemory(t *testing.T) {
	t.Parallel()
	w := demoWorkload()
	w.Requests, w.Prompts, w.Batch, w.Tokens = 5, nil, 5, 500
	p := plan(t, roomyModel(t), devices(t, 3), w, cut{0, 2}, cut{1, 8}, cut{2, 9})
	want := run(t, inMemory(), p)
	log := newWordLog(t)
	r, pids := watched(t, 0)
	r.Replan, r.Log = replan, slog.New(slog.NewJSONHandler(io.MultiWriter(pids, log), nil))
	var once sync.Once
	r.Progress = func(q exec.Progress) {
		if q.Device == "d1" && q.State == exec.Ready {
			once.Do(func() {
				// Less than the 30 MiB of all caches, and more than threads to come may
				// want for their stacks, without which a process ends without a word.
				const room = 28 << 20
				pid := pids.pid("d1")
				all := unix.Rlimit{Cur: dataOf(t, pid) + room, Max: unix.RLIM_INFINITY}
				if err := unix.Prlimit(pid, unix.RLIMIT_DATA, &all, nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
	got := run(t, r, p)
	if diff := cmp.Diff(want.tokens, got.tokens); diff != "" {
		t.Errorf("tokens with memory (-) and without (+):\n%s", diff)
	}
	rep := edgeshard.NewReport("exec", p, got.spans)
	if len(rep.Recoveries) == 0 || rep.Recoveries[0].Device != "d1" {
		t.Errorf("recoveries %+v: want one of d1", rep.Recoveries)
	}
	if log.count("memory") == 0 {
		t.Errorf("no word of memory in %q", log.lines)
	}
	t.Log(log.lines)
	allGone(t, pids)
}

// TestStartedAgain: a local worker's process that ends is started again, and taken
// into the plan where that is better with it.
func TestStartedAgain(t *testing.T) {
	t.Parallel()
	log := newWordLog(t)
	r, pids := watched(t, time.Second)
	r.Replan, r.Log = replan, slog.New(slog.NewJSONHandler(io.MultiWriter(pids, log), nil))
	top := devices(t, 3)
	top.Devices[2].FLOPS, top.Devices[2].MemoryBandwidth = 1e9, 1e8
	p := plan(t, "demo", top, continuous(), cut{0, 4}, cut{1, 10})
	limit(t, p)
	e := open(t, r, p)
	defer babble(t, e)()
	back, without := log.when(`"verdict":"moves"`), log.when(`"msg":"new plan"`)
	first := pids.pid("d1")
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "a plan without the worker", without)
	started := log.when(`"msg":"worker process","device":"d1"`)
	await(t, "a plan with it again", back)
	await(t, "a new process", started)
}
