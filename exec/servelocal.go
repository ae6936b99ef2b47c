package exec

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
)

// ServeLocal is a local worker's process: it takes its orders from in, tells its
// address on out, and serves until in or ctx ends. Options.Local is a command
// that calls it with its standard input and output.
func ServeLocal(ctx context.Context, in io.Reader, out io.Writer, o WorkerOptions) error {
	lines := bufio.NewReader(in)
	var told orders
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &told)
	}
	if err != nil {
		return fmt.Errorf("local worker: no orders on standard input: %w", err)
	}
	if told.Awake {
		spin()
		_, err := io.Copy(io.Discard, lines)
		return err
	}
	if err := told.apply(&o); err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(told.Host, "0"))
	if err != nil {
		return fmt.Errorf("local worker: %w", err)
	}
	if err := json.NewEncoder(out).Encode(announcement{l.Addr().String()}); err != nil {
		return fmt.Errorf("local worker: %w", errors.Join(err, l.Close()))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, lines) // until the coordinator is gone
		cancel()
	}()
	return NewWorker(o).Serve(ctx, l)
}

func (t *orders) apply(o *WorkerOptions) error {
	o.Name, o.Model, o.Threads, o.Timeout, o.OwnProcess = t.Name, t.Model, t.Threads, t.Timeout, true
	if t.PEM == nil {
		o.Insecure = true
		return nil
	}
	o.Coordinators = []string{t.Coordinator}
	var err error
	o.Credentials, err = t.PEM.Credentials()
	return err
}
