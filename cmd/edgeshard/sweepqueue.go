package main

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

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
}

func (q *queueFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.url, "nats", "", "URL of a NATS server with JetStream that shares the points out to workers")
	f.StringVar(&q.token, "nats-token", "", "token of the NATS server")
	f.StringVar(&q.creds, "nats-creds", "", "credentials file of the NATS server")
	f.StringVar(&q.authority, "nats-ca", "", "certificate of the NATS server's authority")
	f.StringVar(&q.cert, "nats-cert", "", "certificate to show to the NATS server, with --nats-key")
	f.StringVar(&q.key, "nats-key", "", "its key")
}

func (q *queueFlags) connect(ctx context.Context) (*experiments.Queue, error) {
	var o []nats.Option
	if q.token != "" {
		o = append(o, nats.Token(q.token))
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
	conn, err := experiments.ConnectQueue(q.url, o...)
	if err != nil {
		return nil, err
	}
	queue, err := experiments.NewQueue(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return queue, nil
}

// share gives a sweep its queue, if the flags name one; leave ends what it began.
func (a *app) share(ctx context.Context, s *experiments.Sweep, f *sweepFlags, q *queueFlags) (leave func(), err error) {
	if q.serve != "" && q.url != "" {
		return nil, usagef("want --serve or --nats, not both")
	}
	var own *server.Server
	if q.serve != "" {
		if own, err = experiments.ServeQueue(q.serve, q.token, filepath.Join(f.out, ".nats")); err != nil {
			return nil, err
		}
		q.url = own.ClientURL()
	}
	if q.url == "" {
		return func() {}, nil
	}
	if s.Queue, err = q.connect(ctx); err != nil {
		stopServer(own)
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	if own != nil {
		a.inform("workers join with: edgeshard sweep work --nats %s", q.url)
		w := &experiments.Worker{Queue: s.Queue, Version: s.Version, Workers: atWork(f.workers), Backend: s.Backend, Log: a.logger()}
		working.Go(func() {
			if err := w.Work(ctx); err != nil {
				a.logger().Error("this machine's worker has ended", "error", err)
			}
		})
	}
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
	var b backendFlags
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
			return a.sweepWork(cmd.Context(), &q, &b, workers)
		},
	}
	q.register(cmd)
	b.credentials.register(cmd)
	cmd.Flags().IntVar(&workers, "workers", 0, "points that run at once; 0: as many as CPUs")
	return cmd
}

func (a *app) sweepWork(ctx context.Context, q *queueFlags, b *backendFlags, workers int) error {
	v, err := exactVersion()
	if err != nil {
		return err
	}
	queue, err := q.connect(ctx)
	if err != nil {
		return err
	}
	defer queue.Conn.Close()
	var done atomic.Int64
	w := &experiments.Worker{Queue: queue, Version: v, Workers: atWork(workers), Backend: b.forSweeps(a), Log: a.logger(), Tell: func() { done.Add(1) }}
	a.inform("working for %s", q.url)
	err = w.Work(ctx)
	a.inform("%d pieces of work done", done.Load())
	return err
}
