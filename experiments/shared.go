package experiments

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// work is points that one worker runs one after another, with all they need.
type work struct {
	Sweep  string      `json:"sweep"`
	ID     string      `json:"id"`
	Stop   bool        `json:"stop"` // after the first without a plan
	Jobs   []remoteJob `json:"jobs"`
	chains [][]Point   // that it is for; their points are alike
}

// A remoteJob is a job whose files travel with it.
type remoteJob struct {
	Key      string            `json:"key"`
	Plan     edgeshard.Plan    `json:"plan"`
	Options  solver.Options    `json:"options"`
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
	return remoteJob{Key: key, Plan: j.plan, Options: j.options, Scenario: string(j.scenario), Traces: traces}, err
}

// local unpacks the job; dir is for its files.
func (r *remoteJob) local(dir string) (*job, error) {
	j := &job{plan: r.Plan, options: r.Options, backend: "sim", dir: dir}
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
// Points on real workers run here, after the others: their devices can only do
// one thing at a time.
func (s *Sweep) runShared(ctx context.Context, results []Result) error {
	pending, own, err := s.split(ctx, results)
	if err != nil {
		return err
	}
	open := slices.Collect(maps.Values(pending))
	slices.SortFunc(open, func(a, b *work) int { return cmp.Compare(a.chains[0][0].Index, b.chains[0][0].Index) })
	c := collection{version: s.Version, sweep: s.name(open), wanted: func() bool { return len(pending) > 0 }}
	c.take = func(id string, d *done) error {
		w, ok := pending[id]
		if !ok {
			return nil
		}
		delete(pending, id)
		s.learn(d)
		return s.runChains(ctx, w.chains, results)
	}
	c.again = func(round string) error {
		return s.Queue.publish(ctx, s.Version, round, slices.Collect(maps.Values(pending)))
	}
	if err := s.Queue.publish(ctx, s.Version, "", open); err != nil {
		return err
	}
	if err := s.Queue.collect(ctx, &c); err != nil {
		return err
	}
	if err := s.Queue.forget(ctx, c.sweep); err != nil {
		return err
	}
	return s.runChains(ctx, own, results)
}

func (s *Sweep) runChains(ctx context.Context, list [][]Point, results []Result) error {
	for _, chain := range list {
		if err := s.runChain(ctx, chain, results); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// split returns the work to share out, by its id, and the chains that run here;
// chains that are all in the cache it runs at once.
func (s *Sweep) split(ctx context.Context, results []Result) (pending map[string]*work, own [][]Point, err error) {
	pending = make(map[string]*work)
	for _, chain := range chains(s.points) {
		w, err := s.workOf(chain)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case w == nil:
			own = append(own, chain)
		case len(w.Jobs) == 0:
			if err := s.runChain(ctx, chain, results); err != nil {
				return nil, nil, err
			}
		case pending[w.ID] != nil:
			pending[w.ID].chains = append(pending[w.ID].chains, chain)
		default:
			pending[w.ID] = w
		}
	}
	return pending, own, nil
}

// name names a sweep by its work, the same for the same after a restart.
func (s *Sweep) name(open []*work) string {
	ids := []string{s.Version, s.Spec.Name, fmt.Sprint(s.Spec.Base)}
	for _, p := range s.points {
		ids = append(ids, fmt.Sprint(p.Settings, p.Repeat, p.Seed))
	}
	sweep := digest(ids...)
	for _, w := range open {
		w.Sweep = sweep
	}
	return sweep
}

// workOf returns the jobs of a chain whose outcomes are not there; nil where any
// of them is for real workers.
func (s *Sweep) workOf(chain []Point) (*work, error) {
	w := &work{Stop: chain[0].chain != "", chains: [][]Point{chain}}
	var keys []string
	for i := range chain {
		j, err := s.resolver.job(&chain[i])
		if err != nil {
			continue // its row says so
		}
		if j.backend != "sim" {
			return nil, nil
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
	w.ID = digest(keys...)
	return w, nil
}

// learn takes in outcomes that workers sent.
func (s *Sweep) learn(d *done) {
	for key, o := range d.Outcomes {
		s.known.Store(key, o)
		if o.Status == Failed {
			continue
		}
		s.keep(key, o)
	}
}
