package experiments_test

import (
	"context"
	"errors"
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
	"github.com/nats-io/nats.go/jetstream"

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
	c, err := experiments.ConnectQueue(url, silent)
	if err != nil {
		return err
	}
	defer c.Close()
	q, err := experiments.NewQueue(ctx, c, silent)
	if err != nil {
		return err
	}
	return (&experiments.Worker{Queue: q, Version: "test", Workers: 2, Silence: time.Second, Log: silent}).Work(ctx)
}

func serve(t *testing.T, address, dir string) *server.Server {
	t.Helper()
	s, err := experiments.QueueServer{Address: address, Dir: dir}.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// serveAgain ends a server and starts another one in its place.
func serveAgain(t *testing.T, s *server.Server, address, dir string) {
	s.Shutdown()
	s.WaitForShutdown()
	again, err := experiments.QueueServer{Address: address, Dir: dir}.Serve()
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(again.Shutdown)
}

func queue(t *testing.T, url string, o ...nats.Option) *experiments.Queue {
	t.Helper()
	c, err := experiments.ConnectQueue(url, silent, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	q, err := experiments.NewQueue(t.Context(), c, silent)
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

	var kill, start, restart sync.Once
	restarted := make(chan struct{})
	rows := 0
	sweep := &experiments.Sweep{Spec: parse(t, spec), Version: "test", Cache: &experiments.Cache{Dir: t.TempDir()}, Queue: queue(t, url)}
	sweep.Tell = func(p experiments.Progress) {
		rows++
		if p.Done > 40 {
			kill.Do(func() { _ = workers[0].Process.Kill() }) // SIGKILL
		}
		if p.Done > 80 {
			start.Do(func() { process(t, url) })
		}
		if p.Done > 120 {
			restart.Do(func() {
				go func() {
					defer close(restarted)
					serveAgain(t, s, strings.TrimPrefix(url, "nats://"), dir)
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
		w := &experiments.Worker{Queue: q, Version: "test", Workers: 1, Silence: time.Minute, Log: silent, Tell: func() { pieces.Add(1) }}
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

// TestQueueLosesAll takes the server's streams away in mid-sweep, as where its disk
// is lost: what is missing is published anew, and no point is lost.
func TestQueueLosesAll(t *testing.T) {
	whole := csvOf(t, &experiments.Sweep{Spec: parse(t, quick), Version: "test"})
	q := queue(t, serve(t, "127.0.0.1:0", t.TempDir()).ClientURL())
	w := &experiments.Worker{Queue: q, Version: "test", Workers: 1, Silence: time.Second, Log: silent}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.Work(ctx) }()
	js, err := jetstream.New(q.Conn)
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	s := &experiments.Sweep{Spec: parse(t, quick), Version: "test", Queue: q, Tell: func(p experiments.Progress) {
		if p.Done == 10 {
			once.Do(func() {
				for _, name := range []string{"edgeshard-work", "edgeshard-done"} {
					if err := js.DeleteStream(ctx, name); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}}
	if diff := cmp.Diff(whole, csvOf(t, s)); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestOtherBuilds holds that a worker leaves the work of another build alone, and
// says that there is some.
func TestOtherBuilds(t *testing.T) {
	q := queue(t, serve(t, "127.0.0.1:0", t.TempDir()).ClientURL())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	sweep := make(chan error, 1)
	go func() {
		_, err := (&experiments.Sweep{Spec: parse(t, quick), Version: "v1.2 (theirs)", Queue: q}).Run(ctx)
		sweep <- err
	}()
	told := make(chan string, 1)
	w := &experiments.Worker{Queue: q, Version: "ours", Workers: 1, Log: slog.New(slog.NewTextHandler(lineWriter(told), nil)), Tell: func() { t.Error("work of another build was done") }}
	worker := make(chan error, 1)
	go func() { worker <- w.Work(ctx) }()
	if line := <-told; !strings.Contains(line, "another build") || !strings.Contains(line, "v1-2--theirs-") || !strings.Contains(line, "ours") {
		t.Errorf("told %q", line)
	}
	stop()
	if err := <-worker; err != nil {
		t.Error(err)
	}
	if err := <-sweep; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A lineWriter passes the first line on.
type lineWriter chan<- string

func (w lineWriter) Write(line []byte) (int, error) {
	select {
	case w <- string(line):
	default:
	}
	return len(line), nil
}

func TestQueueStaysShut(t *testing.T) {
	if _, err := (experiments.QueueServer{Address: "0.0.0.0:0", Dir: t.TempDir()}).Serve(); err == nil || !strings.Contains(err.Error(), "wants a token") {
		t.Errorf("a queue open to all: %v", err)
	}
	s, err := experiments.QueueServer{Address: "127.0.0.1:0", Token: "secret", Dir: t.TempDir()}.Serve()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	if _, err := experiments.ConnectQueue(s.ClientURL(), silent, nats.Timeout(time.Second)); err == nil {
		t.Error("connected without the token")
	}
	queue(t, s.ClientURL(), nats.Token("secret"))
}
