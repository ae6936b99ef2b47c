package serve

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/models"
)

// A Generator runs requests; an exec.Engine behind it.
type Generator interface {
	// Submit lets a request in, which ends early when ctx does.
	Submit(ctx context.Context, q exec.Request) (Generation, error)
}

// A Generation is a request's tokens, as they come.
type Generation interface {
	// Next returns the next token, or io.EOF after the last one.
	Next(ctx context.Context) (exec.Token, error)
}

// A Model is what is served.
type Model struct {
	Name      string // that clients ask for
	Tokenizer *models.Tokenizer
	Template  Template // of chats
	Prompt    int      // tokens of a prompt, at most
	Positions int      // tokens of a prompt and of what follows, at most
}

// Options configure a Server.
type Options struct {
	Model Model
	Slots int // sequences that run together
	Queue int // sequences that may wait beyond them

	Keys      *Keys // nil: everybody may ask
	LocalOnly bool  // answer only those who call this machine by a name of its own
	MaxBody   int64 // bytes of a request; 0: DefaultMaxBody

	Monitor *Monitor
	// Status, if any, tells of the cluster beneath.
	Status func(context.Context) []exec.DeviceStatus
	Log    *slog.Logger // silent if nil
}

// DefaultMaxBody is the largest request taken, in bytes.
const DefaultMaxBody = 4 << 20

const (
	// bodyTimeout is how long a client may take to send its request.
	bodyTimeout = 30 * time.Second
	// writeTimeout is how long a client may take to read what has been written.
	writeTimeout = 30 * time.Second
)

// A Server answers the OpenAI API for one model.
type Server struct {
	options   Options
	log       *slog.Logger
	gate      *gate
	monitor   *Monitor
	started   time.Time
	generator atomic.Pointer[Generator]
	draining  atomic.Bool
	answering sync.WaitGroup // handlers of the API
}

// New returns a Server that is not ready yet.
func New(o Options) *Server {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	s := &Server{options: o, log: o.Log, monitor: o.Monitor, gate: newGate(o.Slots, o.Queue), started: time.Now()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.monitor.watch(s.gate)
	if o.Status != nil {
		s.monitor.registry.MustRegister(newDevices(o.Status))
	}
	return s
}

// Ready lets requests in, to be run by g.
func (s *Server) Ready(g Generator) { s.generator.Store(&g) }

// Handler returns what answers HTTP requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	mux.HandleFunc("POST /v1/completions", s.completions)
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("GET /v1/models/{model}", s.model)
	mux.HandleFunc("GET /status", s.status)
	mux.Handle("GET /metrics", s.monitor.handler())
	mux.HandleFunc("/", s.unknown)
	open := http.NewServeMux() // to all, as whoever watches a process has no key
	open.HandleFunc("GET /healthz", s.healthz)
	open.HandleFunc("GET /readyz", s.readyz)
	open.Handle("/", s.authorized(mux))
	return s.named(s.observed(open))
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	switch {
	case s.draining.Load():
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "draining"})
	case s.generator.Load() == nil:
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "loading"})
	default:
		answer(w, http.StatusOK, map[string]string{"status": "ready"})
	}
}

func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	refuse(w, &Error{
		Status: http.StatusNotFound, Type: invalidRequest, Code: "unknown_url",
		Message: "there is no " + r.Method + " " + r.URL.Path + ": want /v1/chat/completions, /v1/completions, /v1/models, /status, /metrics, /healthz or /readyz",
	})
}
