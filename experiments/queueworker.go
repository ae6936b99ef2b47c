package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// mostDeliveries is how many workers may fall silent over one piece of work
// before it counts as failed.
const mostDeliveries = 5

// DefaultSilence of a worker is that after which its work goes to another.
const DefaultSilence = 15 * time.Second

// A Worker runs points of sweeps of its own version until its context ends.
type Worker struct {
	Queue   *Queue
	Version string
	Workers int           // points that run at once, at least 1
	Silence time.Duration // of a worker, after which its work goes to another; 0: DefaultSilence. All workers of a queue should agree.
	Log     *slog.Logger
	Tell    func() // after each piece of work, from any goroutine; nil: nobody
}

// Work takes work from the queue and sends what it came to. It returns nil when
// ctx ends; work it has begun then goes to others.
func (w *Worker) Work(ctx context.Context) error {
	slots := make(chan struct{}, max(w.Workers, 1))
	told := make(map[string]bool)
	var busy sync.WaitGroup
	defer busy.Wait()
	for ctx.Err() == nil {
		c, err := w.consumer(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("NATS: %w", err)
		}
		w.lookAround(ctx, told)
		for ctx.Err() == nil {
			slots <- struct{}{}
			m, err := next(c)
			if err != nil || m == nil {
				<-slots
				if err != nil {
					w.Log.Info("the queue is away", "error", err)
					pause(ctx)
					break
				}
				w.lookAround(ctx, told)
				continue
			}
			busy.Go(func() {
				defer func() { <-slots }()
				w.handle(ctx, m)
			})
		}
	}
	return nil
}

func (w *Worker) silence() time.Duration {
	if w.Silence > 0 {
		return w.Silence
	}
	return DefaultSilence
}

// lookAround tells, once for each, of builds whose work waits while there is none
// for this one: somebody may have meant this worker to do it.
func (w *Worker) lookAround(ctx context.Context, told map[string]bool) {
	pieces, err := w.Queue.waiting(ctx)
	if err != nil || pieces[word(w.Version)] > 0 {
		return
	}
	for build, n := range pieces {
		if n > 0 && !told[build] {
			told[build] = true
			w.Log.Warn("work waits for another build of edgeshard: results must not mix", "pieces", n, "build", build, "this one", word(w.Version))
		}
	}
}

func (w *Worker) consumer(ctx context.Context) (c jetstream.Consumer, err error) {
	err = w.Queue.retry(ctx, func(ctx context.Context) (err error) {
		c, err = w.Queue.js.CreateOrUpdateConsumer(ctx, workStream, jetstream.ConsumerConfig{
			Durable: "workers-" + digest(w.Version), FilterSubject: subject(w.Version),
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: w.silence(), MaxAckPending: -1, InactiveThreshold: remembered,
		})
		return err
	})
	return c, err
}

// next returns a message, or nil where there is none for now.
func next(c jetstream.Consumer) (jetstream.Msg, error) {
	batch, err := c.Fetch(1, jetstream.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		return nil, err
	}
	for m := range batch.Messages() {
		return m, nil
	}
	return nil, batch.Error()
}

// handle runs a piece of work; while it runs, the server hears that it does.
func (w *Worker) handle(ctx context.Context, m jetstream.Msg) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var beating sync.WaitGroup
	beating.Go(func() { beat(ctx, m, w.silence()/3) })
	defer beating.Wait()
	defer stop()
	if err := w.run(ctx, m); err != nil && !errors.Is(err, context.Canceled) {
		w.Log.Warn("a piece of work is left to others", "error", err)
	}
	if w.Tell != nil {
		w.Tell()
	}
}

func beat(ctx context.Context, m jetstream.Msg, every time.Duration) {
	for t := time.NewTicker(every); ; {
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
			_ = m.InProgress() // else the work goes to another: no harm
		}
	}
}

func (w *Worker) run(ctx context.Context, m jetstream.Msg) error {
	var todo work
	if err := json.Unmarshal(m.Data(), &todo); err != nil {
		return errors.Join(err, m.Term())
	}
	d, err := w.outcomes(ctx, &todo, deliveries(m))
	if err != nil {
		return err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	err = w.Queue.retry(ctx, func(ctx context.Context) error {
		_, err := w.Queue.js.Publish(ctx, doneSubject+todo.Sweep+"."+todo.ID, data)
		return err
	})
	if err != nil {
		return err
	}
	return m.DoubleAck(ctx)
}

func deliveries(m jetstream.Msg) uint64 {
	meta, err := m.Metadata()
	if err != nil {
		return 1
	}
	return meta.NumDelivered
}

func (w *Worker) outcomes(ctx context.Context, todo *work, deliveries uint64) (*done, error) {
	d := &done{Outcomes: make(map[string]*Outcome)}
	dir, err := os.MkdirTemp("", "edgeshard-sweep-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for i := range todo.Jobs {
		r := &todo.Jobs[i]
		o := &Outcome{Status: Failed, Error: fmt.Sprintf("%d workers fell silent over it", mostDeliveries)}
		if deliveries <= mostDeliveries {
			j, err := r.local(dir)
			if err != nil {
				return nil, err
			}
			if o, err = j.run(ctx, nil, 0); err != nil {
				return nil, err
			}
		}
		d.Outcomes[r.Key] = o
		if todo.Stop && (o.Status == Infeasible || o.Status == OOM) {
			break
		}
	}
	return d, nil
}
