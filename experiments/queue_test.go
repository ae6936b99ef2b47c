package experiments_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/edgeshard/edgeshard/experiments"
)

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// workerURL makes this test's binary a worker of the server it names.
const workerURL = "EDGESHARD_TEST_WORKER"

func TestMain(m *testing.M) {
	if url := os.Getenv(workerURL); url != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		err := work(ctx, url)
		stop()
		exit(err)
	}
	if dir := os.Getenv(sweepDir); dir != "" {
		exit(sweepInto(dir))
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Exit(0)
}

func work(ctx context.Context, url string) error {
	c, err := experiments.ConnectQueue(url)
	if err != nil {
		return err
	}
	defer c.Close()
	q, err := experiments.NewQueue(ctx, c)
	if err != nil {
		return err
	}
	return (&experiments.Worker{Queue: q, Version: "test", Workers: 2, Silence: time.Second, Log: silent}).Work(ctx)
}

func serve(t *testing.T, address, dir string) *server.Server {
	t.Helper()
	s, err := experiments.ServeQueue(address, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func queue(t *testing.T, url string, o ...nats.Option) *experiments.Queue {
	t.Helper()
	c, err := experiments.ConnectQueue(url, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	q, err := experiments.NewQueue(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// process starts a worker of its own process.
func process(t *testing.T, url string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), workerURL+"="+url)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c
}

// TestQueueSurvives kills workers and restarts the server in mid-sweep: every
// point has its row, once, and the results are a local run's to the byte.
func TestQueueSurvives(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for work of dead workers to be handed out again")
	}
	spec := strings.Replace(quick, "repeats = 2", "repeats = 6", 1)
	whole := csvOf(t, &experiments.Sweep{Spec: parse(t, spec), Version: "test"})
	dir := t.TempDir()
	s := serve(t, "127.0.0.1:0", dir)
	url := s.ClientURL()
	workers := []*exec.Cmd{process(t, url), process(t, url)}

	var once [3]sync.Once
	restarted := make(chan struct{})
	rows := 0
	sweep := &experiments.Sweep{Spec: parse(t, spec), Version: "test", Cache: &experiments.Cache{Dir: t.TempDir()}, Queue: queue(t, url)}
	sweep.Tell = func(p experiments.Progress) {
		rows++
		if p.Done > 40 {
			once[0].Do(func() { _ = workers[0].Process.Kill() }) // SIGKILL
		}
		if p.Done > 80 {
			once[1].Do(func() { process(t, url) })
		}
		if p.Done > 120 {
			once[2].Do(func() {
				go func() {
					defer close(restarted)
					s.Shutdown()
					s.WaitForShutdown()
					again, err := experiments.ServeQueue(strings.TrimPrefix(url, "nats://"), "", dir)
					if err != nil {
						t.Error(err)
						return
					}
					t.Cleanup(again.Shutdown)
				}()
			})
		}
	}
	if diff := cmp.Diff(whole, csvOf(t, sweep)); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
	<-restarted
	if want := strings.Count(whole, "\n") - 1; rows != want {
		t.Errorf("%d points were counted, of %d", rows, want)
	}
}

// TestQueueResumes ends the coordinator in mid-sweep: the second one takes what
// workers sent meanwhile, and the rest.
func TestQueueResumes(t *testing.T) {
	whole := csvOf(t, &experiments.Sweep{Spec: parse(t, quick), Version: "test"})
	q := queue(t, serve(t, "127.0.0.1:0", t.TempDir()).ClientURL())
	workers, stopWorkers := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	var pieces atomic.Int64
	for range 2 {
		w := &experiments.Worker{Queue: q, Version: "test", Workers: 1, Silence: time.Second, Log: silent, Tell: func() { pieces.Add(1) }}
		ended.Go(func() {
			if err := w.Work(workers); err != nil {
				t.Error(err)
			}
		})
	}
	first, stop := context.WithCancel(context.Background())
	cache := &experiments.Cache{Dir: t.TempDir()}
	s := &experiments.Sweep{Spec: parse(t, quick), Version: "test", Cache: cache, Queue: q, Tell: func(p experiments.Progress) {
		if p.Done == 10 {
			stop()
		}
	}}
	if _, err := s.Run(first); err == nil {
		t.Error("an interrupted sweep has no error")
	}
	if diff := cmp.Diff(whole, csvOf(t, &experiments.Sweep{Spec: parse(t, quick), Version: "test", Cache: cache, Queue: q})); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
	stopWorkers()
	ended.Wait()
	if n, most := pieces.Load(), int64(strings.Count(whole, "\n")-1); n > most {
		t.Errorf("%d pieces of work were done, of %d", n, most)
	}
}

func TestQueueStaysShut(t *testing.T) {
	if _, err := experiments.ServeQueue("0.0.0.0:0", "", t.TempDir()); err == nil || !strings.Contains(err.Error(), "wants a token") {
		t.Errorf("a queue open to all: %v", err)
	}
	s, err := experiments.ServeQueue("127.0.0.1:0", "secret", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	if _, err := experiments.ConnectQueue(s.ClientURL(), nats.Timeout(time.Second)); err == nil {
		t.Error("connected without the token")
	}
	queue(t, s.ClientURL(), nats.Token("secret"))
}
