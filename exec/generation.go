package exec

import (
	"context"
	"errors"
	"io"
	"sync"
)

// ErrClosed is why a request ends whose Engine is closed.
var ErrClosed = errors.New("the engine is closed")

// A Generation is a request's tokens as they come. The engine never waits for
// its reader.
type Generation struct {
	talk *talk
	wake chan struct{} // there is something new
	done chan struct{} // closed when no token will follow

	unread bool        // nobody will: tokens are not kept
	forget func() bool // stops to watch the context of a Submit; nil: there is none

	mu     sync.Mutex
	tokens []Token
	err    error // after the last token
}

func newGeneration(k *talk) *Generation {
	return &Generation{talk: k, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// ID returns the request's number within its engine.
func (g *Generation) ID() int { return g.talk.request.ID }

// Next returns the next token, once it is there: io.EOF after the last one, or
// why the request ended without. One goroutine at a time may wait.
func (g *Generation) Next(ctx context.Context) (Token, error) {
	for {
		g.mu.Lock()
		if len(g.tokens) > 0 {
			t := g.tokens[0]
			g.tokens = g.tokens[1:]
			g.mu.Unlock()
			return t, nil
		}
		err := g.err
		g.mu.Unlock()
		if err != nil {
			return Token{}, err
		}
		select {
		case <-g.wake:
		case <-ctx.Done():
			return Token{}, context.Cause(ctx)
		}
	}
}

// watch calls leave when ctx ends before the request does.
func (g *Generation) watch(ctx context.Context, leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.forget = context.AfterFunc(ctx, leave)
	}
}

func (g *Generation) push(t Token) {
	if g.unread {
		return
	}
	g.mu.Lock()
	g.tokens = append(g.tokens, t)
	g.mu.Unlock()
	g.poke()
}

// end says that no token will follow; the first reason counts.
func (g *Generation) end(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return
	}
	if err == nil {
		err = io.EOF
	}
	g.err = err
	if g.forget != nil {
		g.forget()
	}
	close(g.done)
	g.poke()
}

func (g *Generation) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
