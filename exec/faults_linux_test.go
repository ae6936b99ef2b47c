package exec_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	osexec "os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
)

// A pidLog learns the processes of local workers from a Runner's log.
type pidLog struct {
	mu   sync.Mutex
	pids map[string]int // by device
}

func (l *pidLog) Write(line []byte) (int, error) {
	var entry struct {
		Device string `json:"device"`
		PID    int    `json:"pid"`
	}
	if os.Getenv("EDGESHARD_LOG") != "" {
		os.Stderr.Write(line)
	}
	if json.Unmarshal(line, &entry) == nil && entry.PID > 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pids[entry.Device] = entry.PID
	}
	return len(line), nil
}

func (l *pidLog) pid(device string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pids[device]
}

// watched returns a Runner of worker processes, and where it logs their ids.
func watched(t testing.TB, timeout time.Duration) (*exec.Runner, *pidLog) {
	l := &pidLog{pids: make(map[string]int)}
	return &exec.Runner{Options: exec.Options{
		Local: processes(t), Threads: 1, Timeout: timeout, Log: slog.New(slog.NewJSONHandler(l, nil)),
	}}, l
}

// allGone fails the test if a process of the log is left.
func allGone(t *testing.T, l *pidLog) {
	t.Helper()
	if len(l.pids) == 0 {
		t.Error("no process was started")
	}
	for device, pid := range l.pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("the process of %s is left behind: %v", device, err)
		}
	}
}

// endless is a plan that takes longer than any test.
func endless(t testing.TB) *edgeshard.Plan {
	w := demoWorkload()
	w.Requests, w.Tokens, w.Batch, w.IgnoreEOS = 5000, 200, 4, true
	return plan(t, "demo", devices(t, 3), w, cut{0, 3}, cut{1, 6}, cut{2, 9}, cut{0, 10})
}

// TestLostWorker: a worker killed or frozen ends the run with an error that names
// its device, and nothing is left behind.
func TestLostWorker(t *testing.T) {
	for _, device := range []string{"d0", "d1", "d2"} {
		for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
			t.Run(fmt.Sprintf("%s %s", device, signal), func(t *testing.T) {
				t.Parallel()
				r, pids := watched(t, 0)
				a := newActor(20, func() {
					if err := syscall.Kill(pids.pid(device), signal); err != nil {
						t.Error(err)
					}
				})
				err := r.Run(t.Context(), endless(t), a)
				var lost *exec.DeviceError
				if !errors.As(err, &lost) || lost.Device != device {
					t.Errorf("error %v: want one of device %s", err, device)
				}
				allGone(t, pids)
			})
		}
	}
}

// TestLostAtStart: a worker that dies while it loads.
func TestLostAtStart(t *testing.T) {
	r, pids := watched(t, 0)
	r.Progress = func(p exec.Progress) {
		if p.Device == "d1" && p.State == exec.Loading {
			_ = syscall.Kill(pids.pid("d1"), syscall.SIGKILL)
		}
	}
	_, err := try(t.Context(), r, endless(t))
	var lost *exec.DeviceError
	if !errors.As(err, &lost) || lost.Device != "d1" {
		t.Errorf("error %v: want one of device d1", err)
	}
	allGone(t, pids)
}

// TestInterrupted: the end of the context ends a run, wherever it is, and its
// workers without their goodbyes. BenchmarkInterrupt says how soon.
func TestInterrupted(t *testing.T) {
	for _, state := range []exec.State{exec.Starting, exec.Loading, exec.Ready} {
		t.Run(string(state), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, pids := watched(t, ample)
			a := newActor(1_000_000, nil)
			if state == exec.Ready {
				a = newActor(20, cancel)
			}
			r.Progress = func(p exec.Progress) {
				if p.State == state && state != exec.Ready {
					cancel()
				}
			}
			if err := r.Run(ctx, endless(t), a); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v: want %v", err, context.Canceled)
			}
			for device, pid := range pids.pids {
				if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
					t.Errorf("the process of %s is left behind: %v", device, err)
				}
			}
		})
	}
}

// BenchmarkInterrupt tells how long a run on three worker processes takes to end
// when its context does.
func BenchmarkInterrupt(b *testing.B) {
	var took time.Duration
	for range b.N {
		ctx, cancel := context.WithCancel(b.Context())
		var hit time.Time
		a := newActor(20, func() { hit = time.Now(); cancel() })
		r, _ := watched(b, 0)
		if err := r.Run(ctx, endless(b), a); !errors.Is(err, context.Canceled) {
			b.Fatal(err)
		}
		took += time.Since(hit)
	}
	b.ReportMetric(edgeshard.Milliseconds(took)/float64(b.N), "ms-to-end")
}

// TestBadWorkerCommand: a command that is no worker ends the run with its words.
func TestBadWorkerCommand(t *testing.T) {
	r := &exec.Runner{Options: exec.Options{Local: []string{"sh", "-c", "echo no such luck >&2; exit 3"}}}
	_, err := try(t.Context(), r, revisit(t, demoWorkload()))
	var lost *exec.DeviceError
	if !errors.As(err, &lost) {
		t.Fatalf("error %v: want one of a device", err)
	}
	if !bytes.Contains([]byte(err.Error()), []byte("no such luck")) {
		t.Errorf("error %q: want the command's last words", err)
	}
}

// TestOrphans: when the coordinator is killed its workers end by themselves.
func TestOrphans(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command(path, "-test.run=^TestCoordinatorToKill$")
	cmd.Env = append(os.Environ(), "EDGESHARD_KILL_ME=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var handles []unix.PollFd
	for lines := bufio.NewScanner(out); len(handles) < 3 && lines.Scan(); {
		var pid int
		if _, err := fmt.Sscanf(lines.Text(), "worker %d", &pid); err != nil {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		handles = append(handles, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if len(handles) < 3 {
		t.Fatalf("%d workers were started: want 3", len(handles))
	}
	for i := range handles {
		if n, err := unix.Poll(handles[i:i+1], 60_000); n != 1 {
			t.Errorf("worker %d lives on after its coordinator: %v", i, err)
		}
	}
}

// TestCoordinatorToKill is the coordinator of TestOrphans.
func TestCoordinatorToKill(t *testing.T) {
	if os.Getenv("EDGESHARD_KILL_ME") == "" {
		t.Skip("part of TestOrphans")
	}
	r, pids := watched(t, 0)
	a := newActor(20, func() {
		for _, device := range []string{"d0", "d1", "d2"} {
			fmt.Printf("worker %d\n", pids.pid(device))
		}
	})
	t.Log(r.Run(t.Context(), endless(t), a))
}
