package serve

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"
)

// A gate bounds the sequences that run or wait.
type gate struct {
	slots, most int

	mu     sync.Mutex
	inside int
	took   time.Duration // of a sequence, on average, the last ones counting most
}

func newGate(slots, queue int) *gate { return &gate{slots: slots, most: slots + queue} }

// enter lets n sequences of a request in, or says why not.
func (g *gate) enter(n int) *Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case n > g.most:
		return badf("n", "the request asks for %d sequences: at most %d can run and wait", n, g.most)
	case g.inside+n > g.most:
		return &Error{
			Status: http.StatusTooManyRequests, Type: "rate_limit_error", Code: "queue_full", retryAfter: g.patience(),
			Message: fmt.Sprintf("%d sequences run and %d wait: there is no room for %d more", min(g.inside, g.slots), max(g.inside-g.slots, 0), n),
		}
	}
	g.inside += n
	return nil
}

// patience is the whole seconds until those who wait now have probably begun.
func (g *gate) patience() int {
	waves := float64(g.inside-g.slots)/float64(g.slots) + 1
	return int(min(max(math.Ceil(waves*g.took.Seconds()), 1), 600))
}

// leave tells that a request's n sequences have ended.
func (g *gate) leave(n int, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside -= n
	g.took += (took - g.took) / 8
}

// count returns how many sequences run, as far as slots go, and how many wait.
func (g *gate) count() (running, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return min(g.inside, g.slots), max(g.inside-g.slots, 0)
}
