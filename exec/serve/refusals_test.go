package serve_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/serve"
)

// A refusal is a body and the error that it gets: its status, the field it names,
// and a part of what it says.
type refusal struct {
	body          string
	status        int
	param, reason string
}

var long = strings.Repeat("fox ", 100)

var refusedAsks = []refusal{
	{`{`, 400, "", "no JSON object"},
	{`[]`, 400, "", "no JSON object"},
	{`{"prompt":"x"}`, 400, "model", "want a model"},
	{`{"model":"gpt-4","prompt":"x"}`, 404, "model", "no model \"gpt-4\""},
	{`{"model":"demo"}`, 400, "prompt", "want a prompt"},
	{`{"model":"demo","prompt":3}`, 400, "prompt", "none of a string"},
	{`{"model":"demo","prompt":[]}`, 400, "prompt", "want a prompt"},
	{`{"model":"demo","prompt":[1,99999]}`, 400, "prompt", "token 99999"},
	{`{"model":"demo","prompt":[[1],[]]}`, 400, "prompt", "no tokens"},
	{ask + `,"suffix":"end"}`, 400, "suffix", "not supported"},
	{ask + `,"best_of":3}`, 400, "best_of", "at 1"},
	{ask + `,"frequency_penalty":0.5}`, 400, "frequency_penalty", "not supported"},
	{ask + `,"top_k":5}`, 400, "top_k", "unknown parameter"},
	{ask + `,"Temperature":1}`, 400, "Temperature", "unknown parameter"},
}

var refusedSettings = []refusal{
	{`{"model":"demo","prompt":"x","temperature":"hot"}`, 400, "temperature", "is a string"},
	{`{"model":"demo","prompt":"x","temperature":3}`, 400, "temperature", "0 to 2"},
	{`{"model":"demo","prompt":"x","top_p":0}`, 400, "top_p", "more than 0"},
	{`{"model":"demo","prompt":"x","max_tokens":0}`, 400, "max_tokens", "1 or more"},
	{`{"model":"demo","prompt":"x","max_tokens":127}`, 400, "", "at most 128 in all"},
	{`{"model":"demo","prompt":"` + long + `"}`, 400, "", "at most 64"},
	{`{"model":"demo","prompt":"` + strings.Repeat(long, 5) + `"}`, 413, "", "more than 2000 bytes"},
	{ask + `,"n":0}`, 400, "n", "n is 0"},
	{ask + `,"n":5}`, 400, "n", "at most 4 can run and wait"},
	{ask + `,"logprobs":6}`, 400, "logprobs", "0 to 5"},
	{ask + `,"logprobs":1,"echo":true}`, 400, "echo", "beside logprobs"},
	{ask + `,"stop":["a","b","c","d","e"]}`, 400, "stop", "at most 4"},
	{ask + `,"stop":""}`, 400, "stop", "empty"},
	{ask + `,"stop":[1]}`, 400, "stop", "list of strings"},
	{ask + `,"stream_options":{"include_usage":true}}`, 400, "stream_options", "without stream"},
}

var refusedChats = []refusal{
	{`{"model":"demo","messages":[]}`, 400, "messages", "at least one"},
	{`{"model":"demo","messages":[{"role":"tool","content":"x"}]}`, 400, "messages", `role "tool"`},
	{`{"model":"demo","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, 400, "messages", `"image_url"`},
	{`{"model":"demo","messages":[{"role":"assistant","tool_calls":[{}]}]}`, 400, "messages", "tool_calls"},
	{talk + `,"tools":[{}]}`, 400, "tools", "not supported"},
	{talk + `,"response_format":{"type":"json_object"}}`, 400, "response_format", "not supported"},
	{talk + `,"top_logprobs":2}`, 400, "top_logprobs", "without logprobs"},
	{talk + `,"logprobs":true,"top_logprobs":21}`, 400, "top_logprobs", "0 to 20"},
	{talk + `,"max_tokens":3,"max_completion_tokens":3}`, 400, "max_tokens", "beside"},
}

// TestRefusals: whatever cannot be served gets an error that says so, in the
// API's shape, and names the field.
func TestRefusals(t *testing.T) {
	s := newSite(t, &fake{text: story}, func(o *serve.Options) { o.MaxBody = 2000 })
	for path, refusals := range map[string][]refusal{
		"/v1/completions":      slices.Concat(refusedAsks, refusedSettings),
		"/v1/chat/completions": refusedChats,
		"/v1/embeddings":       {{`{}`, 404, "", "there is no POST /v1/embeddings"}},
	} {
		for _, c := range refusals {
			resp, body := s.post(path, c.body)
			e := read(t, body).Error
			if e == nil {
				t.Errorf("%s: %d %s", c.body, resp.status, body)
				continue
			}
			param := ""
			if e.Param != nil {
				param = *e.Param
			}
			if resp.status != c.status || param != c.param || !strings.Contains(e.Message, c.reason) || e.Type != "invalid_request_error" {
				t.Errorf("%s: %d, param %q, %+v: want %d, param %q and %q", c.body, resp.status, param, *e, c.status, c.param, c.reason)
			}
		}
	}
	if n := len(s.fake.requests()); n > 0 {
		t.Errorf("%d of them were run", n)
	}
}

// TestContentType: what a web page can send without being asked is no request.
func TestContentType(t *testing.T) {
	s := newSite(t, &fake{text: story}, nil)
	if resp, body := s.post("/v1/completions", ask+"}", "Content-Type", "text/plain"); resp.status != 415 {
		t.Errorf("%d %s", resp.status, body)
	}
	if resp, body := s.get("/v1/completions"); resp.status != 404 && resp.status != 405 {
		t.Errorf("%d %s", resp.status, body)
	}
}

// TestFailures: a generation that fails gets an error, in the middle of a stream too.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		fake   *fake
		status int
	}{
		{&fake{text: story, err: errBroken}, 500}, {&fake{refuse: errBroken}, 500},
		{&fake{text: story, err: exec.ErrClosed}, 503}, {&fake{refuse: fmt.Errorf("engine: %w", exec.ErrClosed)}, 503},
	} {
		s := newSite(t, c.fake, nil)
		resp, body := s.post("/v1/completions", ask+"}")
		if e := read(t, body).Error; resp.status != c.status || e == nil || e.Type != "server_error" {
			t.Errorf("%d %s: want %d", resp.status, body, c.status)
		}
		resp, body = s.post("/v1/completions", ask+`,"stream":true}`)
		if errors.Is(c.fake.refuse, nil) {
			if !strings.HasPrefix(body, "data: ") || !strings.Contains(body, `data: {"error":{`) || strings.Contains(body, "[DONE]") {
				t.Errorf("stream %q", body)
			}
		} else if resp.status != c.status {
			t.Errorf("%d %s: want %d", resp.status, body, c.status)
		}
	}
}

// TestKeys: without the right key nothing is told but health.
func TestKeys(t *testing.T) {
	keys, err := serve.ReadKeys("keys", strings.NewReader("# ours\n\n0123456789abcdef\nfedcba9876543210\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, &fake{text: story}, func(o *serve.Options) { o.Keys = keys })
	for _, c := range []struct {
		header string
		status int
	}{
		{"", 401}, {"Bearer 0123456789abcdeg", 401}, {"0123456789abcdef", 401}, {"Bearer ", 401},
		{"Bearer 0123456789abcdef", 200}, {"Bearer fedcba9876543210", 200},
	} {
		for _, path := range []string{"/v1/models", "/status", "/metrics"} {
			if resp, body := s.get(path, "Authorization", c.header); resp.status != c.status {
				t.Errorf("%s with %q: %d %s", path, c.header, resp.status, body)
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if resp, _ := s.get(path); resp.status != 200 {
			t.Errorf("%s: %d", path, resp.status)
		}
	}
}

func TestReadKeys(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "keys has no key",
		"# nothing\n":             "keys has no key",
		"0123456789abcdef\nshort": "keys:2: key of 5 characters",
	} {
		if _, err := serve.ReadKeys("keys", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// TestForeignHost: a name that only resolves to this machine is not its own.
func TestForeignHost(t *testing.T) {
	s := newSite(t, &fake{text: story}, func(o *serve.Options) { o.LocalOnly = true })
	for host, status := range map[string]int{"localhost": 200, "localhost:80": 200, "127.0.0.1:8080": 200, "[::1]:80": 200, "evil.example": 403, "": 200} {
		if host == "" {
			host = strings.TrimPrefix(s.url, "http://")
		}
		if resp, _ := s.get("/v1/models", "Host", host); resp.status != status {
			t.Errorf("host %q: %d, want %d", host, resp.status, status)
		}
	}
}
