package exec

import (
	"context"
	"fmt"

	"github.com/edgeshard/edgeshard"
)

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
