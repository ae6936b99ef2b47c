package exec

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// Reach makes sure that the worker can connect to another one.
func (w *Worker) Reach(ctx context.Context, p *wire.Peer) (*wire.ReachReply, error) {
	if err := w.onlyCoordinator(ctx); err != nil {
		return nil, err
	}
	conn, err := wire.Dial(p.GetAddress(), p.GetCertificate(), w.options.Credentials, w.dial)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, timeout(w.options.Timeout)/2)
	defer cancel()
	conn.Connect()
	for s := conn.GetState(); s != connectivity.Ready; s = conn.GetState() {
		if s == connectivity.TransientFailure || !conn.WaitForStateChange(ctx, s) {
			return nil, status.Errorf(codes.Unavailable, "no connection to %s", p.GetAddress())
		}
	}
	return &wire.ReachReply{}, nil
}

// reaches asks a worker whether it reaches another.
func (m *member) reaches(ctx context.Context, o *member) error {
	m.mu.Lock()
	conn := m.watching
	m.mu.Unlock()
	o.mu.Lock()
	peer := o.watched
	o.mu.Unlock()
	if conn == nil || peer == nil {
		return fmt.Errorf("%s and %s have not both been there", m.name, o.name)
	}
	ctx, cancel := context.WithTimeout(ctx, m.cluster.timeout)
	defer cancel()
	_, err := wire.NewWorkerClient(conn).Reach(ctx, peer)
	return err
}

// probe asks the workers at both ends of a link that was cut whether they reach
// each other again, now and then and less and less often, until they do. While a
// script cuts an imitated link nobody needs to be asked.
func (e *Engine) probe(a, b, cuts int) {
	c := e.cluster
	ctx := c.ctx
	for n := cuts; ; n++ {
		await(ctx, backOff(c.timeout, n), nil)
		if ctx.Err() != nil {
			return
		}
		if _, scripted := e.hurt(a, b); scripted {
			continue
		}
		x, y := c.member(a), c.member(b)
		if x.reaches(ctx, y) == nil && y.reaches(ctx, x) == nil {
			e.mended([2]int{a, b})
			e.mended([2]int{b, a})
			return
		}
	}
}

// lookAfter has the link of a failure probed, unless it is already.
func (e *Engine) lookAfter(f *failure, dead []int) {
	if len(dead) > 0 || f.blame != hearsay || f.peer < 0 {
		return
	}
	link := [2]int{min(f.device, f.peer), max(f.device, f.peer)}
	e.mu.Lock()
	probed := e.probed[link]
	e.probed[link] = true
	e.mu.Unlock()
	if probed {
		return
	}
	cuts := e.cuts[link]
	e.cuts[link]++
	e.cluster.tasks.Go(func() {
		e.probe(link[0], link[1], cuts)
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.probed, link)
	})
}
