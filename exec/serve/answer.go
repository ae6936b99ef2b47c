package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeshard/edgeshard/exec"
)

// An object is a JSON object.
type object = map[string]any

// A shape is how an endpoint's answers look.
type shape struct {
	id          string                 // that ids begin with
	whole, part string                 // kinds of objects: an answer, and a part of one
	choice      func(*choice) object   // of a whole answer
	begin       func(index int) object // of the first part of a choice; nil: there is none
	delta       func(part) object      // of a part
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// A reply is the answer to a request, as it is being made.
type reply struct {
	server  *Server
	shape   *shape
	job     *job
	choices []*choice
	id      string
	created int64
}

// ask decodes a request into q and serves the job it asks for.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, q interface{ job(m *Model) (*job, *Error) }, fields []string, sh *shape) {
	e := s.decode(w, r, q, fields)
	if e != nil {
		refuse(w, e)
		return
	}
	j, e := q.job(&s.options.Model)
	if e != nil {
		refuse(w, e)
		return
	}
	s.serve(w, r, j, sh)
}

// serve answers a request of the API.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, j *job, sh *shape) {
	s.answering.Add(1)
	defer s.answering.Done()
	g := s.generator.Load()
	switch {
	case s.draining.Load():
		refuse(w, unavailable("the server is about to stop"))
		return
	case g == nil:
		refuse(w, unavailable("the workers are loading the model"))
		return
	}
	if e := s.gate.enter(j.sequences()); e != nil {
		refuse(w, e)
		return
	}
	begin := time.Now()
	defer func() { s.gate.leave(j.sequences(), time.Since(begin)) }()
	p := &reply{server: s, shape: sh, job: j, id: sh.id + rand.Text(), created: begin.Unix()}
	for i := range j.sequences() {
		p.choices = append(p.choices, newChoice(s, j, i))
	}
	defer p.account(r.Context())
	if j.stream {
		p.stream(w, r, *g)
	} else {
		p.atOnce(w, r, *g)
	}
}

func unavailable(why string) *Error {
	return &Error{Status: http.StatusServiceUnavailable, Type: serverError, Code: "unavailable", Message: why, retryAfter: 5}
}

// failure returns what a client is told of a generation that failed; nil if the
// client is who ended it.
func failure(r *http.Request, err error) *Error {
	switch {
	case r.Context().Err() != nil:
		return nil
	case errors.Is(err, exec.ErrClosed):
		return unavailable("the server is about to stop")
	}
	return &Error{Status: http.StatusInternalServerError, Type: serverError, Message: err.Error()}
}

// run generates all choices and gives their parts to emit, one at a time.
func (p *reply) run(r *http.Request, g Generator, emit func(part) error) error {
	group, ctx := errgroup.WithContext(r.Context())
	var one sync.Mutex
	for _, c := range p.choices {
		group.Go(func() error {
			return c.generate(ctx, g, func(p part) error {
				one.Lock()
				defer one.Unlock()
				return emit(p)
			})
		})
	}
	return group.Wait()
}

// atOnce answers when all is there.
func (p *reply) atOnce(w http.ResponseWriter, r *http.Request, g Generator) {
	err := p.run(r, g, func(d part) error {
		c := p.choices[d.index]
		c.text.WriteString(d.text)
		c.said = append(c.said, d.said...)
		return nil
	})
	if err != nil {
		if e := failure(r, err); e != nil {
			refuse(w, e)
		}
		return
	}
	choices := make([]object, len(p.choices))
	for i, c := range p.choices {
		choices[i] = p.shape.choice(c)
	}
	all := p.head(p.shape.whole, choices)
	all["usage"] = p.usage()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	answer(w, http.StatusOK, all)
}

func (p *reply) head(kind string, choices []object) object {
	return object{"id": p.id, "object": kind, "created": p.created, "model": p.server.options.Model.Name, "choices": choices}
}

func (p *reply) usage() object {
	prompt, generated := 0, 0
	for _, ids := range p.job.prompts {
		prompt += len(ids)
	}
	for _, c := range p.choices {
		generated += c.generated
	}
	return object{"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}
}

// account adds what has been done to the log of the request.
func (p *reply) account(ctx context.Context) {
	u := p.usage()
	note(ctx, "sequences", len(p.choices), "prompt_tokens", u["prompt_tokens"], "tokens", u["completion_tokens"], "finish", p.choices[0].finish)
}
