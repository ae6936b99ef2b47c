package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/experiments"
)

// queueFlags say which NATS server shares out a sweep, and who may use it.
type queueFlags struct {
	serve, url           string
	token, creds         string
	authority, cert, key string
	silence              time.Duration
}

func (q *queueFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.url, "nats", "", "URL of a NATS server with JetStream that shares the points out to workers")
	f.StringVar(&q.token, "nats-token", os.Getenv(tokenVariable), "token of the NATS server; default: $"+tokenVariable)
	f.Lookup("nats-token").DefValue = "" // help shows no secret
	f.StringVar(&q.creds, "nats-creds", "", "credentials file of the NATS server")
	f.StringVar(&q.authority, "nats-ca", "", "certificate of the NATS server's authority; with --serve, of its workers' too")
	f.StringVar(&q.cert, "nats-cert", "", "certificate to show to the NATS server, with --nats-key; with --serve, the server's own")
	f.StringVar(&q.key, "nats-key", "", "its key")
	f.DurationVar(&q.silence, "silence", experiments.DefaultSilence, "of a worker, after which its work goes to another")
}

// tokenVariable keeps the token out of the list of processes.
const tokenVariable = "EDGESHARD_NATS_TOKEN"

func (q *queueFlags) check() error {
	if q.serve != "" && q.url != "" {
		return usagef("want --serve or --nats, not both")
	}
	if (q.cert == "") != (q.key == "") {
		return usagef("want --nats-cert and --nats-key together")
	}
	if q.silence < 100*time.Millisecond {
		return usagef("--silence is %s: want 100ms at least", q.silence)
	}
	return nil
}

// connect connects to the server at the URL, or to the program's own.
func (q *queueFlags) connect(ctx context.Context, own *server.Server, log *slog.Logger) (*experiments.Queue, error) {
	conn, err := experiments.ConnectQueue(q.url, log, q.options(own)...)
	if err != nil {
		return nil, err
	}
	queue, err := experiments.NewQueue(ctx, conn, log)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return queue, nil
}

func (q *queueFlags) options(own *server.Server) (o []nats.Option) {
	if q.token != "" {
		o = append(o, nats.Token(q.token))
	}
	if own != nil {
		return append(o, nats.InProcessServer(own))
	}
	if q.creds != "" {
		o = append(o, nats.UserCredentials(q.creds))
	}
	if q.authority != "" {
		o = append(o, nats.RootCAs(q.authority))
	}
	if q.cert != "" {
		o = append(o, nats.ClientCert(q.cert, q.key))
	}
	return o
}

// share gives a sweep its queue, if the flags name one; leave ends what it began.
func (a *app) share(ctx context.Context, s *experiments.Sweep, f *sweepFlags, q *queueFlags) (leave func(), err error) {
	var own *server.Server
	if q.serve != "" {
		set := experiments.QueueServer{Address: q.serve, Token: q.token, Dir: filepath.Join(f.out, ".nats"), Cert: q.cert, Key: q.key, CA: q.authority}
		if own, err = set.Serve(); err != nil {
			return nil, err
		}
		q.url = experiments.PublicURL(own)
	}
	if q.url == "" {
		return func() {}, nil
	}
	if s.Queue, err = q.connect(ctx, own, s.Log); err != nil {
		stopServer(own)
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	if own != nil {
		w := &experiments.Worker{Queue: s.Queue, Version: s.Version, Workers: atWork(f.workers), Silence: q.silence, Log: s.Log}
		working.Go(func() {
			if err := w.Work(ctx); err != nil {
				s.Log.Error("this machine's worker has ended", "error", err)
			}
		})
	}
	a.inform("workers join with: edgeshard sweep work --nats %s", experiments.Redacted(q.url))
	return func() {
		stop()
		working.Wait()
		s.Queue.Conn.Close()
		stopServer(own)
	}, nil
}

func stopServer(s *server.Server) {
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// inform tells people, not scripts.
func (a *app) inform(format string, args ...any) {
	if a.format == "text" {
		a.printf(format, args...)
	}
}

func atWork(workers int) int {
	if workers > 0 {
		return workers
	}
	return runtime.GOMAXPROCS(0)
}

func (a *app) sweepWorkCmd() *cobra.Command {
	var q queueFlags
	var workers int
	cmd := &cobra.Command{
		Use: "work --nats URL", Short: "Run points of other machines' sweeps",
		Long: "Run points of sweeps that were started elsewhere with --nats or --serve, until interrupted. Workers may come and go\n" +
			"at any time. A worker takes the points of sweeps that the same build of edgeshard started.",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.url == "" {
				return usagef("want --nats, the URL of the server that shares the points out")
			}
			if err := q.check(); err != nil {
				return err
			}
			return a.sweepWork(cmd.Context(), &q, workers)
		},
	}
	q.register(cmd)
	cmd.Flags().IntVar(&workers, "workers", 0, "points that run at once; 0: as many as CPUs")
	return cmd
}

func (a *app) sweepWork(ctx context.Context, q *queueFlags, workers int) error {
	v, err := exactVersion()
	if err != nil {
		return err
	}
	queue, err := q.connect(ctx, nil, a.warner())
	if err != nil {
		return err
	}
	defer queue.Conn.Close()
	var done atomic.Int64
	w := &experiments.Worker{Queue: queue, Version: v, Workers: atWork(workers), Silence: q.silence, Log: queue.Log, Tell: func() { done.Add(1) }}
	a.inform("working for %s", experiments.Redacted(q.url))
	err = w.Work(ctx)
	a.inform("%d pieces of work done", done.Load())
	return err
}
