package experiments

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// A Sweep runs the points of an experiment.
type Sweep struct {
	Spec    *Spec
	Version string         // of the program; part of what an outcome depends on
	Cache   *Cache         // nil: nothing is kept
	Workers int            // points that run at once; 0: as many as CPUs. Points on real workers run one at a time.
	Backend Backend        // nil: the simulator alone
	Tell    func(Progress) // called after each point, one call at a time; nil: nobody
	Log     *slog.Logger   // nil: silent
	Queue   *Queue         // nil: points run here; else its workers run them

	resolver *resolver
	points   []Point
	flight   singleflight.Group
	known    sync.Map // outcomes that workers sent, by key
	unkept   sync.Once

	mu    sync.Mutex // guards what follows
	state Progress
	start time.Time
}

// Progress is how far a sweep is.
type Progress struct {
	Total, Done int
	Cached      int // of the done ones, whose outcome was there
	Failed      int // of the done ones, that are not OK
	Elapsed     time.Duration
	Left        time.Duration // estimated; 0 while nothing is known
	Last        Result        // of the point done last
}

// A Result is a point and what it came to.
type Result struct {
	Point
	ID string // the hash of what it depends on, "" where it was not run
	*Outcome
}

// Prepare draws the points and checks every value, so that a mistake is told
// before anything runs. It returns how many points there are.
func (s *Sweep) Prepare() (int, error) {
	if err := s.Spec.checkColumns(); err != nil {
		return 0, fmt.Errorf("%s: %w", s.Spec.File, err)
	}
	points, err := s.Spec.Points()
	if err != nil {
		return 0, err
	}
	s.resolver, s.points = newResolver(s.Spec), points
	if s.Log == nil {
		s.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if err := s.resolver.check(points); err != nil {
		return 0, fmt.Errorf("%s: %w", s.Spec.File, err)
	}
	return len(points), nil
}

// Run runs all points that the cache lacks and returns the results of all, in
// the order of the spec. It fails where the spec is wrong and where ctx ends;
// what has been computed until then is in the cache.
func (s *Sweep) Run(ctx context.Context) ([]Result, error) {
	if s.resolver == nil {
		if _, err := s.Prepare(); err != nil {
			return nil, err
		}
	}
	results := make([]Result, len(s.points))
	s.state, s.start = Progress{Total: len(s.points)}, time.Now()
	if s.Queue != nil {
		return results, s.runShared(ctx, results)
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(s.workers())
	for _, chain := range chains(s.points) {
		if inner.Err() != nil {
			break
		}
		g.Go(func() error { return s.runChain(inner, chain, results) })
	}
	err := g.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return results, err
}

func (s *Sweep) workers() int {
	for i := range s.points {
		if in, err := s.resolver.inputs(&s.points[i]); err == nil && in.backend != "sim" {
			return 1
		}
	}
	if s.Workers > 0 {
		return s.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// runChain runs points one after another; after the first without a plan the
// others are skipped.
func (s *Sweep) runChain(ctx context.Context, chain []Point, results []Result) error {
	var hopeless *Result
	for _, p := range chain {
		r := Result{Point: p, Outcome: &Outcome{Status: Skipped}}
		cached := false
		if hopeless == nil {
			var err error
			if r, cached, err = s.runPoint(ctx, p); err != nil {
				return err
			}
		} else {
			r.Error = fmt.Sprintf("point %d, before it on the axis, has no plan", hopeless.Index)
		}
		if p.chain != "" && hopeless == nil && (r.Status == Infeasible || r.Status == OOM) {
			hopeless = &r
		}
		results[p.Index] = r
		s.done(&r, cached)
	}
	return nil
}

// runPoint returns a point's outcome: the cache's, or that of running it.
func (s *Sweep) runPoint(ctx context.Context, p Point) (r Result, cached bool, err error) {
	r = Result{Point: p}
	j, err := s.resolver.job(&p)
	if err != nil {
		r.Outcome = failure(err)
		return r, false, nil
	}
	if r.ID, err = j.key(s.Version, &p); err != nil {
		return r, false, err
	}
	if o, ok := s.known.Load(r.ID); ok {
		r.Outcome = o.(*Outcome)
		return r, false, nil
	}
	if r.Outcome = s.Cache.get(r.ID); r.Outcome != nil {
		return r, true, nil
	}
	v, err, _ := s.flight.Do(r.ID, func() (any, error) {
		o, err := j.run(ctx, s.Backend, s.Spec.Warmup)
		if err != nil {
			return nil, err
		}
		if o.Status == Failed {
			return o, nil // a second start tries again
		}
		s.keep(r.ID, o)
		return o, nil
	})
	if err != nil {
		return r, false, err
	}
	r.Outcome = v.(*Outcome)
	return r, false, nil
}

// keep puts an outcome in the cache. A cache that takes none, as on a full disk,
// is told of once.
func (s *Sweep) keep(key string, o *Outcome) {
	if err := s.Cache.put(key, o); err != nil {
		s.unkept.Do(func() { s.Log.Warn("outcomes cannot be kept: a second start would compute them again", "error", err) })
	}
}

func (s *Sweep) done(r *Result, cached bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.state
	p.Done++
	p.Last = *r
	if cached {
		p.Cached++
	}
	if r.Status != OK {
		p.Failed++
	}
	p.Elapsed = time.Since(s.start)
	if ran := p.Done - p.Cached; ran > 0 {
		p.Left = p.Elapsed / time.Duration(ran) * time.Duration(p.Total-p.Done)
	}
	if s.Tell != nil {
		s.Tell(*p)
	}
}

// An Estimate is what a dry run says.
type Estimate struct {
	Points int
	Cached int           // that need not run
	Sample int           // points that were run to estimate the time
	Time   time.Duration // for the points that are not cached
}

// Estimate counts the points and runs some of them, evenly spread, to say how
// long the others will take. What it runs is kept. Points on real workers are
// not run, and no time is told.
func (s *Sweep) Estimate(ctx context.Context) (Estimate, error) {
	n, err := s.Prepare()
	if err != nil {
		return Estimate{}, err
	}
	e := Estimate{Points: n}
	var open []Point
	for _, p := range s.points {
		j, err := s.resolver.job(&p)
		if err != nil {
			continue // its row will say so
		}
		key, err := j.key(s.Version, &p)
		if err != nil {
			return e, err
		}
		if s.Cache.get(key) != nil {
			e.Cached++
		} else if j.backend == "sim" {
			open = append(open, p)
		}
	}
	e.Time, e.Sample, err = s.sample(ctx, open)
	return e, err
}

func (s *Sweep) sample(ctx context.Context, open []Point) (time.Duration, int, error) {
	const most = 8
	k := min(most, len(open))
	if k == 0 {
		return 0, 0, nil
	}
	start := time.Now()
	for i := range k {
		if _, _, err := s.runPoint(ctx, open[i*len(open)/k]); err != nil {
			return 0, i, err
		}
	}
	return time.Since(start) / time.Duration(k) * time.Duration(len(open)-k) / time.Duration(s.workers()), k, nil
}
