package experiments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// A Queue is a NATS server with JetStream, over which a sweep's points are shared
// out. Work waits in one stream until a worker acknowledges it; outcomes are kept
// in another by the work they are of, so that work done twice counts once.
type Queue struct {
	Conn *nats.Conn
	js   jetstream.JetStream
}

const (
	workStream   = "edgeshard-work"
	doneStream   = "edgeshard-done"
	workSubject  = "edgeshard.work."
	doneSubject  = "edgeshard.done."
	queueTimeout = 10 * time.Second // of one exchange with the server
	ackWait      = 15 * time.Second // after which silent work goes to another worker
	remembered   = 24 * time.Hour   // for which work published twice is one
)

// NewQueue returns the queue on a server, and makes its streams.
func NewQueue(ctx context.Context, conn *nats.Conn) (*Queue, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	q := &Queue{Conn: conn, js: js}
	ctx, cancel := context.WithTimeout(ctx, queueTimeout)
	defer cancel()
	for _, c := range []jetstream.StreamConfig{
		{Name: workStream, Subjects: []string{workSubject + ">"}, Retention: jetstream.WorkQueuePolicy, Duplicates: remembered},
		{Name: doneStream, Subjects: []string{doneSubject + ">"}, MaxMsgsPerSubject: 1},
	} {
		if _, err := js.CreateOrUpdateStream(ctx, c); err != nil {
			return nil, fmt.Errorf("NATS: stream %s: %w", c.Name, err)
		}
	}
	return q, nil
}

// work is points that one worker runs one after another, with all they need.
type work struct {
	Sweep  string      `json:"sweep"`
	ID     string      `json:"id"`
	Stop   bool        `json:"stop"` // after the first without a plan
	Warmup int         `json:"warmup"`
	Jobs   []remoteJob `json:"jobs"`
}

// A remoteJob is a job whose files travel with it.
type remoteJob struct {
	Key      string            `json:"key"`
	Plan     edgeshard.Plan    `json:"plan"`
	Options  solver.Options    `json:"options"`
	Backend  string            `json:"backend"`
	Scenario string            `json:"scenario,omitempty"`
	Traces   map[string]string `json:"traces,omitempty"`
}

// done is what work came to, by the keys of its jobs.
type done struct {
	Outcomes map[string]*Outcome `json:"outcomes"`
}

// digest names a text by its hash; it is a word of a NATS subject.
func digest(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:16])
}

func (j *job) remote(key string) (remoteJob, error) {
	traces, err := j.traces()
	return remoteJob{Key: key, Plan: j.plan, Options: j.options, Backend: j.backend, Scenario: string(j.scenario), Traces: traces}, err
}

// local unpacks the job; dir is for its files.
func (r *remoteJob) local(dir string) (*job, error) {
	j := &job{plan: r.Plan, options: r.Options, backend: r.Backend, dir: dir}
	if r.Scenario != "" {
		j.scenario = []byte(r.Scenario)
	}
	for name, text := range r.Traces {
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("trace %q is outside the sweep's folder", name)
		}
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// runShared shares out what is not known, and takes in outcomes until all is.
func (s *Sweep) runShared(ctx context.Context, results []Result) error {
	pending := make(map[string][]Point)
	var open []*work
	for _, chain := range chains(s.points) {
		w, err := s.workOf(chain)
		if err != nil {
			return err
		}
		if len(w.Jobs) == 0 {
			if err := s.runChain(ctx, chain, results); err != nil {
				return err
			}
			continue
		}
		pending[w.ID] = chain
		open = append(open, w)
	}
	sweep := s.name(open)
	take := func(id string, d *done) error {
		chain, ok := pending[id]
		if !ok {
			return nil
		}
		delete(pending, id)
		s.learn(d)
		return s.runChain(ctx, chain, results)
	}
	if err := s.Queue.publish(ctx, s.Version, sweep, open); err != nil {
		return err
	}
	if err := s.Queue.collect(ctx, sweep, func() bool { return len(pending) > 0 }, take); err != nil {
		return err
	}
	return s.Queue.forget(ctx, sweep)
}

// name names a sweep by its work, the same for the same after a restart.
func (s *Sweep) name(open []*work) string {
	ids := []string{s.Version, s.Spec.Name}
	for _, p := range s.points {
		ids = append(ids, fmt.Sprint(p.Settings, p.Repeat, p.Seed))
	}
	sweep := digest(ids...)
	for _, w := range open {
		w.Sweep = sweep
	}
	return sweep
}

// workOf returns the jobs of a chain whose outcomes are not there.
func (s *Sweep) workOf(chain []Point) (*work, error) {
	w := &work{Stop: chain[0].chain != "", Warmup: s.Spec.Warmup}
	var keys []string
	for i := range chain {
		j, err := s.resolver.job(&chain[i])
		if err != nil {
			continue // its row says so
		}
		key, err := j.key(s.Version, &chain[i])
		if err != nil {
			return nil, err
		}
		if s.Cache.get(key) != nil {
			continue
		}
		r, err := j.remote(key)
		if err != nil {
			return nil, err
		}
		w.Jobs, keys = append(w.Jobs, r), append(keys, key)
	}
	w.ID = digest(append(keys, fmt.Sprint(chain[0].Index))...)
	return w, nil
}

// learn takes in outcomes that workers sent.
func (s *Sweep) learn(d *done) {
	for key, o := range d.Outcomes {
		s.known.Store(key, o)
		if o.Status == Failed {
			continue
		}
		if err := s.Cache.put(key, o); err != nil {
			s.Log.Warn("an outcome cannot be kept", "error", err)
		}
	}
}

// publish puts work in the queue; what is there already is not there twice.
func (q *Queue) publish(ctx context.Context, version, sweep string, open []*work) error {
	for _, w := range open {
		data, err := json.Marshal(w)
		if err != nil {
			return err
		}
		err = retry(ctx, func(ctx context.Context) error {
			_, err := q.js.Publish(ctx, workSubject+digest(version), data, jetstream.WithMsgID(sweep+w.ID))
			return err
		})
		if err != nil {
			return fmt.Errorf("NATS: publishing work: %w", err)
		}
	}
	return nil
}

// retry repeats an exchange with the server, each within its time, until it
// succeeds or ctx ends: servers may be away for a while.
func retry(ctx context.Context, exchange func(context.Context) error) error {
	for {
		inner, cancel := context.WithTimeout(ctx, queueTimeout)
		err := exchange(inner)
		cancel()
		if err == nil || errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrConnectionClosed) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// collect hands over a sweep's outcomes, those of an earlier start first, while
// more is wanted.
func (q *Queue) collect(ctx context.Context, sweep string, more func() bool, take func(id string, d *done) error) error {
	for next := uint64(1); more(); {
		var c jetstream.Consumer
		err := retry(ctx, func(ctx context.Context) (err error) {
			c, err = q.js.OrderedConsumer(ctx, doneStream, jetstream.OrderedConsumerConfig{
				FilterSubjects: []string{doneSubject + sweep + ".*"}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: next,
			})
			return err
		})
		if err != nil {
			return err
		}
		for more() && ctx.Err() == nil {
			m, err := c.Next(jetstream.FetchMaxWait(time.Second))
			if errors.Is(err, nats.ErrTimeout) {
				continue
			}
			if err != nil {
				break // the consumer is made again from where it was
			}
			if next, err = receive(m, next, take); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// receive hands over one message, and returns where the next one may be.
func receive(m jetstream.Msg, next uint64, take func(id string, d *done) error) (uint64, error) {
	if meta, err := m.Metadata(); err == nil {
		next = meta.Sequence.Stream + 1
	}
	var d done
	if err := json.Unmarshal(m.Data(), &d); err != nil {
		return next, fmt.Errorf("NATS: an outcome on %s: %w", m.Subject(), err)
	}
	return next, take(m.Subject()[strings.LastIndex(m.Subject(), ".")+1:], &d)
}

// forget removes a sweep's outcomes from the server.
func (q *Queue) forget(ctx context.Context, sweep string) error {
	return retry(ctx, func(ctx context.Context) error {
		stream, err := q.js.Stream(ctx, doneStream)
		if err != nil {
			return err
		}
		return stream.Purge(ctx, jetstream.WithPurgeSubject(doneSubject+sweep+".*"))
	})
}
