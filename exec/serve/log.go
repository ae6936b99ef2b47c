package serve

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An exchange is a request and what is to be logged of it.
type exchange struct {
	id string

	mu    sync.Mutex
	notes []any
}

type exchangeKey struct{}

// note adds to the log of a request.
func note(ctx context.Context, pairs ...any) {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.notes = append(x.notes, pairs...)
	}
}

// requestID returns the name of the request that ctx is of.
func requestID(ctx context.Context) string {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		return ""
	}
	return x.id
}

// idHeader names a request, by its client's wish or by ours.
const idHeader = "X-Request-Id"

// named gives every request a name.
func (s *Server) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{id: r.Header.Get(idHeader)}
		if !fitID(x.id) {
			x.id = "req-" + rand.Text()
		}
		w.Header().Set(idHeader, x.id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
	})
}

// fitID tells whether a client's name of a request may stand in logs and headers.
func fitID(id string) bool {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	return id != "" && len(id) <= 128 && strings.IndexFunc(id, odd) < 0
}

// statusGone is what the log says of a client that did not wait for its answer,
// as nginx does.
const statusGone = 499

// observed counts and logs every request.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin, seen := time.Now(), &watchedWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		status := seen.status
		if status == 0 || r.Context().Err() != nil {
			status = statusGone
		}
		s.monitor.answered(r.Pattern, status)
		x := r.Context().Value(exchangeKey{}).(*exchange)
		x.mu.Lock()
		defer x.mu.Unlock()
		level := slog.LevelInfo
		if r.Method == http.MethodGet {
			level = slog.LevelDebug // whoever watches asks all the time
		}
		s.log.Log(r.Context(), level, "request", append([]any{
			"request", x.id, "method", r.Method, "path", r.URL.Path, "status", status, "took", time.Since(begin), "from", r.RemoteAddr,
		}, x.notes...)...)
	})
}

// A watchedWriter remembers the status of an answer.
type watchedWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader passes the status on.
func (w *watchedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets a ResponseController reach what is beneath.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
