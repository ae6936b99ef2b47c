package tui

import (
	"context"
	"errors"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard"
)

// feed takes what a run tells, for the screen to fetch in portions.
type feed struct {
	mu    sync.Mutex
	spans []edgeshard.Span
	texts []textAt
	state string
	total int
	last  time.Duration
	done  bool
	err   error
	stop  context.CancelCauseFunc
	ready chan struct{} // has an element while there is something to fetch
}

var _ edgeshard.Observer = (*feed)(nil)

// errEnough ends a run of which no more can be kept.
var errEnough = errors.New("enough")

func newFeed() *feed { return &feed{ready: make(chan struct{}, 1)} }

// Span keeps a span.
func (f *feed) Span(s edgeshard.Span) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total++; f.total > maxSpans {
		f.stop(errEnough)
		return
	}
	f.spans = append(f.spans, s)
	f.last = max(f.last, s.End)
	f.signal()
}

// Text keeps a text, at the time of the last span.
func (f *feed) Text(request, _ int, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts = append(f.texts, textAt{f.last, request, text})
	f.signal()
}

// progress keeps how the workers' start goes.
func (f *feed) progress(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = text
	f.signal()
}

func (f *feed) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done, f.err = true, err
	f.signal()
}

func (f *feed) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// A spansMsg is a portion of what happened.
type spansMsg struct {
	rev   int
	feed  *feed
	spans []edgeshard.Span
	texts []textAt
	state string
	done  bool
	cut   bool
	err   error
}

// portionEvery is how long at least a portion is waited for, so that many spans come in one.
const portionEvery = 25 * time.Millisecond

// next waits for a portion.
func (f *feed) next(rev int) tea.Cmd {
	return func() tea.Msg {
		<-f.ready
		time.Sleep(portionEvery)
		f.mu.Lock()
		defer f.mu.Unlock()
		select {
		case <-f.ready:
		default:
		}
		msg := spansMsg{rev, f, f.spans, f.texts, f.state, f.done, f.total > maxSpans, f.err}
		f.spans, f.texts = nil, nil
		return msg
	}
}
