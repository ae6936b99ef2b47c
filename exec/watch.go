package exec

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// A watcher exchanges beats with a worker, on a connection of its own, where
// nothing large can be in the way of one.
type watcher struct {
	member *member
	clock  *clock
	pulse  *pulse
	ready  chan struct{} // closed when the clock has had its first handshakes
	broke  error         // why the last stream did
}

// watchTries is how many streams in a row a worker may end without an answer to a
// beat, though it is there, before it counts as one that cannot be watched.
const watchTries = 3

// A beat is what a worker's answer told.
type beat struct {
	asked time.Duration // when the beat left that it answers, by the coordinator's clock
	at    time.Duration // when it came
	busy  time.Duration // for how long it has been computing; 0: it does not
	stage int
	step  int
	mark  int64 // tells one computation from the next
}

// watchOver begins to watch over the worker until the cluster ends or stop is
// called, and returns when its clock is known.
func (m *member) watchOver(ctx context.Context) error {
	conn, err := m.dial()
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(m.cluster.ctx)
	w := &watcher{
		member: m, clock: &clock{}, ready: make(chan struct{}),
		pulse: newPulse(m.cluster.timeout, time.Duration(m.cluster.now())),
	}
	m.mu.Lock()
	m.clock, m.unwatch, m.last = w.clock, stop, beat{}
	m.watching, m.watched = conn, &wire.Peer{Device: uint32(m.device), Address: m.address, Certificate: m.certificate}
	m.mu.Unlock()
	m.cluster.tasks.Go(func() {
		defer func() { _ = conn.Close() }()
		silent, err := w.run(watching, conn)
		if l := m.worker(); l != nil && !silent {
			l.awaitEnd(watching) // it explains more than a broken connection
		}
		if watching.Err() == nil {
			m.fail(gone, err)
		}
	})
	select {
	case <-w.ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	_, uncertainty := w.clock.offset()
	m.cluster.log.Info("clock", "device", m.name, "uncertainty", time.Duration(uncertainty))
	return nil
}

// run watches until ctx ends or the worker is lost, and returns why that is, and
// whether it is for its silence. A broken connection is no death where the worker
// answers on another.
func (w *watcher) run(ctx context.Context, conn *grpc.ClientConn) (silent bool, err error) {
	defer w.open() // who waits for it must not wait for a dead one
	for vain := 0; ; sleep(ctx, w.pulse.interval) {
		answers, err := w.once(ctx, conn)
		if ctx.Err() != nil || err != nil {
			return answers > 0, err
		}
		if vain++; answers > 0 {
			vain = 0
		}
		if vain == watchTries {
			return false, fmt.Errorf("worker at %s is there, and answers no beat: %w", w.member.address, plainError(w.broke))
		}
		if err := w.member.hello(ctx, conn, w.member.cluster.timeout/2); err != nil {
			return false, fmt.Errorf("lost %w", err)
		}
	}
}

// once opens a stream and follows it. A worker that does not take the stream has no
// longer than one that falls silent: a connection alone may take far longer to fail.
func (w *watcher) once(ctx context.Context, conn *grpc.ClientConn) (answers int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(w.pulse.silence, cancel)
	stream, err := wire.NewWorkerClient(conn).Watch(ctx)
	switch {
	case !late.Stop():
		return 0, w.silent()
	case err != nil:
		return 0, err
	}
	return w.follow(ctx, stream)
}

func (w *watcher) silent() error {
	return fmt.Errorf("worker at %s gave no sign of life for %s: it is frozen, overloaded or cut off", w.member.address, w.pulse.silence)
}

// follow exchanges beats on a stream until it breaks, which is no error, or the
// worker has been silent for too long. It returns how many beats were answered.
func (w *watcher) follow(ctx context.Context, stream grpc.BidiStreamingClient[wire.Beat, wire.Beat]) (n int, err error) {
	heard := make(chan beat, 1)
	w.member.cluster.tasks.Go(func() { w.listen(ctx, stream, heard) })
	tick := time.NewTicker(w.pulse.interval)
	defer tick.Stop()
	_ = w.beat(stream) // listen gets the reason
	spared := 0
	for {
		select {
		case b, ok := <-heard:
			if !ok {
				return n, nil
			}
			if n++; n < clockSamples {
				_ = w.beat(stream)
			}
			if n == clockSamples {
				w.open()
			}
			w.pulse.answer(b.at)
			w.member.hears(b)
		case <-tick.C:
			now, passed := time.Duration(w.member.cluster.now()), w.member.passed()
			if passed > 0 {
				w.pulse.answer(passed)
			}
			if w.pulse.tick(now) {
				return n, w.silent()
			}
			if spared++; now-passed > freshBeats*w.pulse.interval || spared > mostSpared {
				spared = 0
				_ = w.beat(stream)
			}
		case <-w.member.nudged:
			_ = w.beat(stream)
		case <-ctx.Done():
			return n, nil
		}
	}
}

// listen passes on what a stream says until it breaks, and then closes heard.
func (w *watcher) listen(ctx context.Context, stream grpc.BidiStreamingClient[wire.Beat, wire.Beat], heard chan<- beat) {
	defer close(heard)
	for {
		b, err := stream.Recv()
		if err != nil {
			w.broke = err
			return
		}
		now := w.member.cluster.now()
		w.clock.add(b.GetSentNs(), now, b.GetClockNs())
		told := beat{asked: time.Duration(b.GetSentNs()), at: time.Duration(now), stage: int(b.GetStage()), step: int(b.GetStep()), mark: b.GetBusyNs()}
		if told.mark > 0 {
			told.busy = time.Duration(b.GetClockNs() - told.mark)
		}
		select {
		case heard <- told:
		case <-ctx.Done():
			return
		}
	}
}

func (w *watcher) open() {
	if !closed(w.ready) {
		close(w.ready)
	}
}

func (w *watcher) beat(stream grpc.BidiStreamingClient[wire.Beat, wire.Beat]) error {
	return stream.Send(&wire.Beat{SentNs: w.member.cluster.now(), Coordinator: w.member.cluster.id})
}
