package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// passTimeout is the longest a pass may take: workers that live but do not come
// to an end of it are not waited for.
const passTimeout = 10 * time.Minute

// An Engine keeps the workers of a plan and runs the requests that come, through
// the Batcher of the plan's workload. One goroutine drives it and tells its
// observer; readers of tokens never hold it up.
type Engine struct {
	plan      *edgeshard.Plan
	obs       edgeshard.Observer
	tokenizer *models.Tokenizer
	cluster   *cluster
	book      *book
	begin     time.Duration // of the run, by the coordinator's clock; set when opened

	ctx    context.Context
	cancel context.CancelCauseFunc
	opened chan struct{} // closed when passes may begin
	done   chan struct{} // closed when all has ended
	err    error         // why, if not by Close; read after done

	mu      sync.Mutex
	wake    chan struct{} // something of these has changed
	coming  []*talk
	leaving []*talk // that nobody waits for any more
	nextID  int
	closing bool
}

// Open starts a plan's workers, and keeps them until Close or the end of ctx,
// which cuts everything off. Requests come at any time; the plan's workload says
// how many run together and how long they may be, not which there are.
func (r *Runner) Open(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) (*Engine, error) {
	e, err := r.newEngine(ctx, p, obs)
	if err != nil {
		return nil, err
	}
	go e.run()
	select {
	case <-e.opened:
		return e, nil
	case <-e.done:
		return nil, e.err
	}
}

func (r *Runner) newEngine(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) (*Engine, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := CheckScenario(r.Scenario); err != nil {
		return nil, err
	}
	tokenizer, err := r.tokenizer(p)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		plan: p, obs: obs, tokenizer: tokenizer, book: newBook(&p.Workload),
		opened: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	if e.cluster, err = newCluster(e.ctx, &r.Options, p); err != nil {
		e.cancel(err)
		return nil, err
	}
	return e, nil
}

// tokenizer opens the model for its tokenizer.
func (r *Runner) tokenizer(p *edgeshard.Plan) (*models.Tokenizer, error) {
	ref := p.Model.Ref
	if r.Model != "" {
		ref = r.Model
	}
	checkpoint, err := models.Open(ref)
	if err != nil {
		return nil, err
	}
	defer func() { _ = checkpoint.Close() }()
	t, err := checkpoint.Tokenizer()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", ref, err)
	}
	return t, nil
}

// Submit lets a request in; it may wait in the Batcher. It ends early when ctx
// does: then its place is free at the next pass.
func (e *Engine) Submit(ctx context.Context, q Request) (*Generation, error) {
	w := &e.plan.Workload
	switch n, most := len(q.Prompt), w.Positions(); {
	case n < 1 || q.MaxTokens < 1:
		return nil, fmt.Errorf("request of %d prompt tokens and %d to generate: want at least 1 of each", n, q.MaxTokens)
	case n+q.MaxTokens > most:
		return nil, fmt.Errorf("request of %d prompt tokens and %d to generate: the plan is made for %d in all", n, q.MaxTokens, most)
	}
	if err := q.Sampling.Validate(); err != nil {
		return nil, err
	}
	for _, id := range q.Prompt {
		if id < 0 || id >= e.plan.Model.Config.Vocab {
			return nil, fmt.Errorf("prompt has token %d: the vocabulary has %d", id, e.plan.Model.Config.Vocab)
		}
	}
	r := edgeshard.Request{Arrival: e.now(), Prompt: len(q.Prompt), Tokens: q.MaxTokens}
	e.mu.Lock()
	r.ID = e.nextID
	e.nextID++
	e.mu.Unlock()
	k := newTalk(r, q.Prompt, e.tokenizer, q.IgnoreEOS)
	k.name, k.sampling = q.Name, q.Sampling
	if err := e.enqueue(k); err != nil {
		return nil, err
	}
	k.reader.watch(ctx, func() { e.leave(k, context.Cause(ctx)) })
	return k.reader, nil
}

// enqueue hands requests to the driving goroutine, all at once.
func (e *Engine) enqueue(talks ...*talk) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return ErrClosed
	}
	for _, k := range talks {
		e.nextID = max(e.nextID, k.request.ID+1)
	}
	e.coming = append(e.coming, talks...)
	e.poke()
	return nil
}

// leave ends a request that nobody waits for any more.
func (e *Engine) leave(k *talk, why error) {
	k.unwanted.Store(true)
	k.reader.end(why)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leaving = append(e.leaving, k)
	e.poke()
}

func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Close ends the engine in order: what is in the pipeline comes back, then the
// workers are let go. Requests that have not ended get ErrClosed. It returns why
// the engine failed, if it did.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closing = true
	e.poke()
	e.mu.Unlock()
	<-e.done
	return e.err
}

// now is the time since the run's start.
func (e *Engine) now() time.Duration { return time.Duration(e.cluster.now()) - e.begin }

// run drives the engine to its end.
func (e *Engine) run() {
	err := e.cluster.start()
	if err == nil {
		if err = e.ready(); err == nil {
			err = e.drive()
		}
	}
	if err == nil {
		e.cluster.unload(e.obs, e.now())
	} else {
		e.cluster.cancel(err)
		e.tellShortage(err)
	}
	e.cluster.close()
	e.finish(err)
}

// ready sets the run's start and tells of what came before it.
func (e *Engine) ready() error {
	e.begin = time.Duration(e.cluster.now())
	if err := e.cluster.shape(e.begin); err != nil {
		return err
	}
	for _, s := range e.cluster.loads {
		s.Start -= e.begin
		s.End -= e.begin
		e.obs.Span(s)
	}
	close(e.opened)
	return nil
}

// finish ends the requests there still are.
func (e *Engine) finish(err error) {
	e.mu.Lock()
	e.closing = true
	coming := e.coming
	e.mu.Unlock()
	why := err
	if why == nil {
		why = ErrClosed
	}
	for _, k := range coming {
		k.reader.end(why)
	}
	for _, k := range e.book.talks {
		k.reader.end(why)
	}
	e.err = err
	e.cancel(why)
	close(e.done)
}

// tellShortage tells of the memory that lacked, if that was it.
func (e *Engine) tellShortage(err error) {
	var oom *edgeshard.OutOfMemory
	if !errors.As(err, &oom) {
		return
	}
	device, _ := e.plan.Topology.Index(oom.Device)
	e.obs.Span(edgeshard.Span{What: edgeshard.OOM, Request: -1, Stage: -1, Device: device, To: -1, Bytes: oom.Missing()})
}
