package exec

import (
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// A computation is what a worker is at.
type computation struct {
	since       int64 // by its clock
	stage, step uint32
}

// Watch answers a coordinator's beats with the worker's clock and what it
// computes. Nothing that a session does can hold an answer up.
func (w *Worker) Watch(stream grpc.BidiStreamingServer[wire.Beat, wire.Beat]) error {
	if err := w.onlyCoordinator(stream.Context()); err != nil {
		return err
	}
	for {
		b, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		w.renew(b.GetCoordinator())
		answer := &wire.Beat{SentNs: b.GetSentNs(), ClockNs: w.clock()}
		if at := w.computing.Load(); at != nil {
			answer.BusyNs, answer.Stage, answer.Step = at.since, at.stage, at.step
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

// renew notes a beat of a coordinator, if it is the one that the worker serves.
func (w *Worker) renew(coordinator string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if coordinator != "" && coordinator == w.tenant {
		w.renewed = time.Now()
	}
}

// lease makes a coordinator the one whose beats count.
func (w *Worker) lease(coordinator string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tenant, w.renewed = coordinator, time.Now()
}

// silence returns for how long nothing has been heard of a coordinator.
func (w *Worker) silence(coordinator string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if coordinator != w.tenant {
		return time.Hour
	}
	return time.Since(w.renewed)
}
