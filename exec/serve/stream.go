package serve

import (
	"encoding/json"
	"net/http"
	"time"
)

// stream answers part by part, by server-sent events.
func (p *reply) stream(w http.ResponseWriter, r *http.Request, g Generator) {
	e := &events{w: w, control: http.NewResponseController(w)}
	begun := make([]bool, len(p.choices))
	err := p.run(r, g, func(d part) error {
		if p.shape.begin != nil && !begun[d.index] {
			begun[d.index] = true
			if err := e.send(p.chunk(p.shape.begin(d.index))); err != nil {
				return err
			}
		}
		return e.send(p.chunk(p.shape.delta(d)))
	})
	if err != nil {
		p.breakOff(w, r, e, err)
		return
	}
	if p.job.usage {
		last := p.head(p.shape.part, []object{})
		last["usage"] = p.usage()
		_ = e.send(last)
	}
	_ = e.write("[DONE]")
}

// breakOff ends a stream that failed: with a status, where nothing has been sent.
func (p *reply) breakOff(w http.ResponseWriter, r *http.Request, e *events, err error) {
	told := failure(r, err)
	switch {
	case told == nil:
	case e.begun:
		_ = e.send(map[string]*Error{"error": told})
	default:
		refuse(w, told)
	}
}

func (p *reply) chunk(choice object) object {
	c := p.head(p.shape.part, []object{choice})
	if p.job.usage {
		c["usage"] = nil
	}
	return c
}

// events are what a client is sent, one by one.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func (e *events) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return e.write(string(data))
}

// write sends an event; it waits for a client that reads nothing, but not long.
func (e *events) write(data string) error {
	if !e.begun {
		e.begun = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no") // proxies are to pass events on at once
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := e.w.Write([]byte("data: " + data + "\n\n")); err != nil {
		return err
	}
	return e.control.Flush()
}
