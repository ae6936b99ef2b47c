package edgeshard

import "time"

// What is the kind of a span.
type What string

// The kinds of spans. Fields of Span that a kind does not name are zero, or -1
// for Request, Stage, Device and To.
const (
	// Compute: Device ran Stage for a micro-batch's pass.
	Compute What = "compute"
	// Send: the link Device→To carried Bytes into stage Stage; Start is when the
	// link began to be occupied, Free when it was free again, End the arrival.
	Send What = "send"
	// Back: as Send, for the token (or logits) going to the source.
	Back What = "return"
	// Token: Request got its token number Step (0 is the first) at End; Start is
	// the token before it, or the request's arrival.
	Token What = "token"
	// Queue: a request waited for its first pass.
	Queue What = "queue"
	// Memory: Device held Bytes from Start to End.
	Memory What = "memory"
	// Load: Device loaded the weights of its stages, Bytes of them.
	Load What = "load"
	// Down: Device, or the link Device→To, did not work from Start to End.
	Down What = "down"
	// Detection: Device died at Start, which was known at End.
	Detection What = "detection"
	// Replan: the survivors of Device's death got a new plan.
	Replan What = "replan"
	// Migrate: the plan was changed for a better one, which nothing forced.
	Migrate What = "migrate"
	// Lost: a pass that began at Start was thrown away at End.
	Lost What = "lost"
	// Rebuild: a pass that computed a micro-batch's KV caches again.
	Rebuild What = "rebuild"
	// Preempt: a micro-batch gave up its KV caches and waited for memory.
	Preempt What = "preempt"
	// Failed: Request was given up at End, because of Device's death.
	Failed What = "failed"
	// OOM: Device lacked Bytes at Start; Request, if not -1, was given up.
	OOM What = "oom"
)

// A Span is something that happened in a run, the one currency of sim and exec.
// Times are since the run's start.
type Span struct {
	What       What          `json:"what"`
	Request    int           `json:"request"`     // the first of the micro-batch's, or the one meant
	MicroBatch int           `json:"micro_batch"` // of a pass
	Batch      int           `json:"batch"`       // sequences of the pass
	Step       int           `json:"step"`        // 0 prefill; t the decode pass that yields token t
	Stage      int           `json:"stage"`
	Device     int           `json:"device"`
	To         int           `json:"to"`
	Bytes      int64         `json:"bytes"`
	Start      time.Duration `json:"start_ns"`
	Free       time.Duration `json:"free_ns,omitempty"`
	End        time.Duration `json:"end_ns"`
}

// An Observer is told what happens in a run, as it happens. Its methods are
// called from one goroutine at a time.
type Observer interface {
	// Span tells of a span that has ended.
	Span(Span)
	// Text tells of a token a model generated, and of the text it completes.
	// Runners without a model never call it.
	Text(request, token int, text string)
}

// Tee returns an Observer that tells all of several.
func Tee(observers ...Observer) Observer { return tee(observers) }

type tee []Observer

func (t tee) Span(s Span) {
	for _, o := range t {
		o.Span(s)
	}
}

func (t tee) Text(request, token int, text string) {
	for _, o := range t {
		o.Text(request, token, text)
	}
}
