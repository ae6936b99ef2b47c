package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// A Queue is a NATS server with JetStream, over which a sweep's points are shared
// out. Work waits in one stream until a worker acknowledges it; outcomes are kept
// in another by the work they are of, so that work done twice counts once.
type Queue struct {
	Conn *nats.Conn
	Log  *slog.Logger // nil: silent
	js   jetstream.JetStream
}

const (
	workStream   = "edgeshard-work"
	doneStream   = "edgeshard-done"
	workSubject  = "edgeshard.work."
	doneSubject  = "edgeshard.done."
	queueTimeout = 10 * time.Second   // of one exchange with the server
	patience     = 10 * time.Minute   // for which a server may be away
	remembered   = 24 * time.Hour     // for which work published twice is one
	kept         = 7 * 24 * time.Hour // for which the server keeps what nobody fetches
)

// NewQueue returns the queue on a server, and makes its streams.
func NewQueue(ctx context.Context, conn *nats.Conn, log *slog.Logger) (*Queue, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	q := &Queue{Conn: conn, Log: log, js: js}
	ctx, cancel := context.WithTimeout(ctx, queueTimeout)
	defer cancel()
	return q, q.makeStreams(ctx)
}

func (q *Queue) makeStreams(ctx context.Context) error {
	for _, c := range []jetstream.StreamConfig{
		{Name: workStream, Subjects: []string{workSubject + ">"}, Retention: jetstream.WorkQueuePolicy, Duplicates: remembered, MaxAge: kept},
		{Name: doneStream, Subjects: []string{doneSubject + ">"}, MaxMsgsPerSubject: 1, MaxAge: kept},
	} {
		if _, err := q.js.CreateOrUpdateStream(ctx, c); err != nil {
			return fmt.Errorf("NATS: stream %s: %w", c.Name, err)
		}
	}
	return nil
}

// subject is where the work for a build waits.
func subject(version string) string { return workSubject + word(version) }

// word makes a text a word of a subject.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '+' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, text)
}

// publish puts work in the queue; what is there already in the same round is not
// there twice.
func (q *Queue) publish(ctx context.Context, version, round string, open []*work) error {
	for _, w := range open {
		data, err := json.Marshal(w)
		if err != nil {
			return err
		}
		err = q.retry(ctx, func(ctx context.Context) error {
			_, err := q.js.Publish(ctx, subject(version), data, jetstream.WithMsgID(w.Sweep+w.ID+round))
			return err
		})
		if errors.Is(err, nats.ErrMaxPayload) {
			return fmt.Errorf("NATS: the server takes messages of %d bytes, a piece of work has %d: raise its max_payload", q.Conn.MaxPayload(), len(data))
		}
		if err != nil {
			return fmt.Errorf("NATS: publishing work: %w", err)
		}
	}
	return nil
}

// retry repeats an exchange with the server, each within its time, until it
// succeeds, ctx ends or patience does: servers may be away for a while. One that
// has lost its streams gets them again.
func (q *Queue) retry(ctx context.Context, exchange func(context.Context) error) error {
	for start := time.Now(); ; {
		inner, cancel := context.WithTimeout(ctx, queueTimeout)
		err := exchange(inner)
		if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrNoStreamResponse) {
			err = errors.Join(err, q.makeStreams(inner))
		}
		cancel()
		switch {
		case err == nil || errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrConnectionClosed):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Since(start) > patience:
			return fmt.Errorf("no success within %s: %w", patience, err)
		}
		q.Log.Debug("an exchange with the queue is tried again", "error", err)
		pause(ctx)
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(200 * time.Millisecond):
	}
}

// A collection is what a sweep still wants of the server.
type collection struct {
	version, sweep string
	wanted         func() bool
	take           func(id string, d *done) error
	again          func(round string) error // publishes what is wanted once more
	next           uint64                   // where the next outcome may be in its stream
	idle           bool                     // when last asked, no work was in the queue
	heard          time.Time                // when the last outcome came
}

// silent is how long no outcome may come before people are told.
const silent = time.Minute

// collect hands over a sweep's outcomes, those of an earlier start first, until
// none is wanted.
func (q *Queue) collect(ctx context.Context, c *collection) error {
	c.next, c.heard = 1, time.Now()
	for c.wanted() {
		consumer, err := q.follow(ctx, c)
		if err != nil {
			return err
		}
		for c.wanted() && ctx.Err() == nil {
			m, err := consumer.Next(jetstream.FetchMaxWait(time.Second))
			if err != nil && !errors.Is(err, nats.ErrTimeout) {
				break // the consumer is made again from where it was
			}
			if err != nil {
				err = q.lull(ctx, c)
			} else {
				err = c.receive(m)
			}
			if err != nil {
				return err
			}
		}
		pause(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// follow makes a consumer of the sweep's outcomes from where the last one was, or
// from the first where the server has lost some.
func (q *Queue) follow(ctx context.Context, c *collection) (consumer jetstream.Consumer, err error) {
	err = q.retry(ctx, func(ctx context.Context) error {
		stream, err := q.js.Stream(ctx, doneStream)
		if err != nil {
			return err
		}
		if stream.CachedInfo().State.LastSeq+1 < c.next {
			c.next = 1
		}
		consumer, err = stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
			FilterSubjects: []string{doneSubject + c.sweep + ".*"}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: c.next,
		})
		return err
	})
	return consumer, err
}

// receive hands over one message.
func (c *collection) receive(m jetstream.Msg) error {
	if meta, err := m.Metadata(); err == nil {
		c.next = meta.Sequence.Stream + 1
	}
	c.idle, c.heard = false, time.Now()
	var d done
	if err := json.Unmarshal(m.Data(), &d); err != nil {
		return fmt.Errorf("NATS: an outcome on %s: %w", m.Subject(), err)
	}
	return c.take(m.Subject()[strings.LastIndex(m.Subject(), ".")+1:], &d)
}

// lull looks why no outcome has come for a while. A worker sends its outcome
// before it acknowledges the work: where the queue has been empty since before the
// last lull, what is still wanted was lost, or done and forgotten in an earlier
// sweep, and is published anew.
func (q *Queue) lull(ctx context.Context, c *collection) error {
	waiting, err := q.waiting(ctx)
	if err != nil {
		return nil //nolint:nilerr // the server is away: collect sees to that
	}
	open := waiting[word(c.version)]
	if open == 0 && c.idle {
		c.idle = false
		q.Log.Debug("work is published again")
		return c.again("/" + nuid.Next())
	}
	c.idle = open == 0
	if time.Since(c.heard) > silent {
		c.heard = time.Now()
		q.Log.Warn("no outcome has come for a minute: are workers of this build there?", "build", c.version, "pieces of work", open)
	}
	return nil
}

// waiting returns how many pieces of work wait or are being done, by build.
func (q *Queue) waiting(ctx context.Context) (map[string]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, queueTimeout)
	defer cancel()
	stream, err := q.js.Stream(ctx, workStream)
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(workSubject+">"))
	if err != nil {
		return nil, err
	}
	pieces := make(map[string]uint64)
	for s, n := range info.State.Subjects {
		pieces[strings.TrimPrefix(s, workSubject)] = n
	}
	return pieces, nil
}

// forget removes a sweep's outcomes from the server.
func (q *Queue) forget(ctx context.Context, sweep string) error {
	return q.retry(ctx, func(ctx context.Context) error {
		stream, err := q.js.Stream(ctx, doneStream)
		if err != nil {
			return err
		}
		return stream.Purge(ctx, jetstream.WithPurgeSubject(doneSubject+sweep+".*"))
	})
}
