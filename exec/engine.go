package exec

import (
	"cmp"
	"context"
	"errors"
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
	options    *Options
	plan       *edgeshard.Plan // the first one; the epoch has the present one
	obs        edgeshard.Observer
	tokenizer  *models.Tokenizer
	cluster    *cluster
	epoch      *epoch
	book       *book
	condition  *condition
	costs      edgeshard.Costs // of the plan's topology; nil where that does not say
	monitor    *monitor
	faults     *player
	moving     *migration     // for which the pipeline is emptied; nil: none
	stale      bool           // a micro-batch has a request that nobody waits for
	halted     bool           // the source lets nothing in by itself, of what is in the pipeline
	better     string         // why a plan may be better that did not repay the move
	began      time.Duration  // when the epoch began to take passes
	returned   time.Duration  // when a pass last came back
	progressed time.Duration  // returned, at the last recovery
	vain       int            // recoveries since then
	unrecorded bool           // the journal cannot be written
	cuts       map[[2]int]int // how often a link was found cut
	demand     *demand        // nil: all requests are known from the start
	loaded     loadTally
	early      []edgeshard.Span // told before the run's start is known
	begin      time.Duration    // of the run, by the coordinator's clock; set when opened, read by the driving goroutine

	ctx    context.Context
	cancel context.CancelCauseFunc
	opened chan struct{} // closed when passes may begin
	done   chan struct{} // closed when all has ended
	err    error         // why, if not by Close; read after done

	mu       sync.Mutex
	wake     chan struct{} // something of these has changed
	coming   []*talk
	leaving  []*talk         // that nobody waits for any more
	repaired [][2]int        // links
	probed   map[[2]int]bool // links that are asked about
	nextID   int
	closing  bool
}

// Open starts a plan's workers, and keeps them until Close or the end of ctx,
// which cuts everything off. Requests come at any time; the plan's workload says
// how many run together and how long they may be, not which there are.
func (r *Runner) Open(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) (*Engine, error) {
	e, err := r.newEngine(ctx, p, obs)
	if err != nil {
		return nil, err
	}
	e.demand = &demand{}
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
	options, err := r.onTopology(p)
	if err != nil {
		return nil, err
	}
	tokenizer, err := models.TokenizerOf(cmp.Or(r.Model, p.Model.Ref))
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: options, plan: p, obs: obs, tokenizer: tokenizer, book: newBook(&p.Workload), condition: newCondition(),
		cuts: make(map[[2]int]int), probed: make(map[[2]int]bool), opened: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	e.costs, _ = p.Costs()
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	if e.cluster, err = newCluster(e.ctx, options, p); err != nil {
		e.cancel(err)
		return nil, err
	}
	e.monitor = newMonitor(e.cluster.timeout, r.Adapt)
	if e.faults, err = newPlayer(e); err != nil {
		e.cancel(err)
		return nil, err
	}
	return e, nil
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
func (e *Engine) now() time.Duration { return e.cluster.runTime() }

// run drives the engine to its end.
func (e *Engine) run() {
	err := e.live()
	if err != nil {
		e.tellShortage(err)
	}
	e.cluster.close(err != nil)
	e.finish(err)
}

// A loadTally is what workers have loaded so far.
type loadTally struct {
	bytes int64
	took  time.Duration
}

// ready tells of what loading took. The run's start is when it is done for the
// first time.
func (e *Engine) ready() error {
	at := time.Duration(e.cluster.now())
	first := !e.isOpen()
	for _, s := range e.epoch.loads {
		e.loaded.bytes += s.Bytes
		e.loaded.took += s.End - s.Start
		if !first {
			s.End = at // with sessions and connections
		}
		s.Start -= e.begin
		s.End -= e.begin
		e.tell(s)
	}
	if err := e.epoch.shape(); err != nil {
		return err
	}
	if !first {
		return nil
	}
	e.begin = at
	e.cluster.zero.Store(int64(at))
	e.cluster.arbiter.begin(e.cluster.ctx, at)
	close(e.opened)
	e.faults.begin()
	for _, s := range e.early {
		s.Start -= at
		s.End -= at
		e.obs.Span(s)
	}
	e.early = nil
	return nil
}

func (e *Engine) isOpen() bool { return closed(e.opened) }

// closed reports whether a channel that nothing is sent on is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// tell tells the observer of a span, once the run's start is known.
func (e *Engine) tell(s edgeshard.Span) {
	if !e.isOpen() {
		e.early = append(e.early, s)
		return
	}
	e.obs.Span(s)
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
	for _, s := range e.early {
		e.obs.Span(s)
	}
	e.obs.Span(edgeshard.Span{What: edgeshard.OOM, Request: -1, Stage: -1, Device: device, To: -1, Bytes: oom.Missing()})
}
