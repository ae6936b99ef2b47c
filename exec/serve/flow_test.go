package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/serve"
)

// begin sends a streaming request and returns when its first token is there.
func (s *site) begin(ctx context.Context) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/completions", strings.NewReader(ask+`,"stream":true}`))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "data: {") {
		s.t.Fatalf("%q, %v", line, err)
	}
	return resp
}

// until waits for what must come.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (s *site) gone() int {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	return s.fake.left
}

// TestQueue: who finds the queue full is told when to come again, and a client
// that leaves makes room.
func TestQueue(t *testing.T) {
	s := newSite(t, &fake{text: story, hold: make(chan struct{})}, nil)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for range 4 {
		defer s.begin(ctx).Body.Close()
	}
	resp, body := s.post("/v1/completions", ask+"}")
	if after, err := strconv.Atoi(resp.header.Get("Retry-After")); resp.status != 429 || err != nil || after < 1 {
		t.Errorf("%d, Retry-After %q, %s", resp.status, resp.header.Get("Retry-After"), body)
	}
	if e := read(t, body).Error; e == nil || *e.Code != "queue_full" || !strings.Contains(e.Message, "2 sequences run and 2 wait") {
		t.Errorf("%s", body)
	}
	_, metrics := s.get("/metrics")
	for _, line := range []string{"edgeshard_sequences_running 2", "edgeshard_sequences_waiting 2", `code="429",endpoint="POST /v1/completions"} 1`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("metrics lack %q", line)
		}
	}
	leave()
	until(t, "4 places free", func() bool { return s.gone() == 4 })
	close(s.fake.hold)
	until(t, "room for the next", func() bool {
		resp, _ := s.post("/v1/completions", ask+"}")
		return resp.status == 200
	})
}

// TestStopFrees: a stop sequence ends the generation beneath.
func TestStopFrees(t *testing.T) {
	hold := make(chan struct{}, 100)
	s := newSite(t, &fake{text: story, hold: hold}, nil)
	for range len(s.fake.tokenizer.Encode(" The fox ran", false)) {
		hold <- struct{}{}
	}
	_, body := s.post("/v1/completions", ask+`,"stop":"ran"}`)
	if q := read(t, body).Choices[0]; q.Text != " The fox " || *q.FinishReason != "stop" {
		t.Errorf("%s", body)
	}
}

// newStoppable serves on a port of its own, without a generator yet, until it is
// stopped; requests then have the given time to end.
func newStoppable(t *testing.T, f *fake, drain time.Duration) (s *site, stop func(), ended <-chan error) {
	t.Helper()
	o := demoOptions(t)
	f.tokenizer = o.Model.Tokenizer
	server, end := serve.New(o), make(chan error, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	go func() { end <- server.Serve(ctx, t.Context(), l, serve.Listening{Drain: drain}) }()
	return &site{t, f, server, "http://" + l.Addr().String()}, stop, end
}

// TestReadiness: before the workers are there and when it is about to stop, a
// server is alive but not ready.
func TestReadiness(t *testing.T) {
	f := &fake{text: story, hold: make(chan struct{})}
	s, stop, ended := newStoppable(t, f, time.Minute)
	if resp, body := s.get("/readyz"); resp.status != 503 || !strings.Contains(body, "loading") {
		t.Errorf("%d %s", resp.status, body)
	}
	if resp, body := s.post("/v1/completions", ask+"}"); resp.status != 503 || resp.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", resp.status, body)
	}
	if resp, _ := s.get("/healthz"); resp.status != 200 {
		t.Errorf("%d", resp.status)
	}
	s.server.Ready(f)
	if resp, _ := s.get("/readyz"); resp.status != 200 {
		t.Errorf("%d", resp.status)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/completions", strings.NewReader(ask+`,"stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stop()
	close(f.hold)
	var all bytes.Buffer
	if _, err := all.ReadFrom(resp.Body); err != nil || !strings.HasSuffix(all.String(), "data: [DONE]\n\n") {
		t.Errorf("the request under way ended with %v, %q", err, all.String())
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestDrainDeadline: a request that does not end is cut off when its time is up.
func TestDrainDeadline(t *testing.T) {
	f := &fake{text: story, hold: make(chan struct{}, 1)}
	s, stop, ended := newStoppable(t, f, 50*time.Millisecond)
	s.server.Ready(f)
	defer s.begin(t.Context()).Body.Close()
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("the server ended with %v", err)
	}
	if s.gone() != 1 {
		t.Error("the sequence runs on")
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestStrangers: off loopback there must be keys and TLS.
func TestStrangers(t *testing.T) {
	keys, err := serve.ReadKeys("keys", strings.NewReader("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	public := &net.TCPAddr{IP: net.IPv4zero, Port: 80}
	var plain serve.Listening
	for _, c := range []struct {
		address net.Addr
		keys    *serve.Keys
		want    string
	}{
		{public, nil, "API keys"}, {public, keys, "TLS"}, {&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, nil, ""}, {&net.TCPAddr{IP: net.IPv6loopback}, nil, ""},
	} {
		if err := plain.Check(c.address, c.keys); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.address, err, c.want)
		}
	}
}

// A logSink keeps what is logged.
type logSink struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logSink) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

// TestRequestIDs: a client's name for a request is on the answer, in the log and
// with the engine; one that is none is replaced.
func TestRequestIDs(t *testing.T) {
	sink := &logSink{}
	s := newSite(t, &fake{text: story}, func(o *serve.Options) { o.Log = slog.New(slog.NewJSONHandler(sink, nil)) })
	resp, _ := s.post("/v1/completions", ask+`,"n":2}`, "X-Request-Id", "mine-1")
	if got := resp.header.Get("X-Request-Id"); got != "mine-1" {
		t.Errorf("the answer is to %q", got)
	}
	for _, q := range s.fake.requests() {
		if q.Name != "mine-1/0" && q.Name != "mine-1/1" {
			t.Errorf("the engine knows it as %q", q.Name)
		}
	}
	var line struct {
		Request, Path, Finish string
		Status, Sequences     int
		Tokens                int
	}
	until(t, "the log", func() bool {
		sink.mu.Lock()
		defer sink.mu.Unlock()
		return json.Unmarshal(sink.lines.Bytes(), &line) == nil
	})
	if line.Request != "mine-1" || line.Path != "/v1/completions" || line.Status != 200 || line.Sequences != 2 || line.Tokens == 0 || line.Finish != "length" {
		t.Errorf("%+v", line)
	}
	for _, odd := range []string{"", strings.Repeat("x", 200), "a b"} {
		resp, _ := s.get("/v1/models", "X-Request-Id", odd)
		if got := resp.header.Get("X-Request-Id"); !strings.HasPrefix(got, "req-") {
			t.Errorf("%q became %q", odd, got)
		}
	}
}

// TestMonitor: what the engine and the clients see is in the metrics.
func TestMonitor(t *testing.T) {
	var o serve.Options
	s := newSite(t, &fake{text: story}, func(p *serve.Options) { o = *p })
	s.post("/v1/completions", ask+"}")
	m := o.Monitor
	m.Span(edgeshard.Span{What: edgeshard.Compute, End: time.Second})
	m.Span(edgeshard.Span{What: edgeshard.Send, Bytes: 512})
	m.Span(edgeshard.Span{What: edgeshard.Load, Bytes: 1000})
	m.Span(edgeshard.Span{What: edgeshard.Detection, End: 2 * time.Second})
	for _, what := range []edgeshard.What{edgeshard.Token, edgeshard.Queue, edgeshard.Replan, edgeshard.Rebuild, edgeshard.Lost, edgeshard.Down} {
		m.Span(edgeshard.Span{What: what, Stage: -1, Device: -1, To: -1}) // which name no device
	}
	_, metrics := s.get("/metrics")
	for _, line := range []string{
		`edgeshard_device_busy_seconds_total{device="d0"} 1`, `edgeshard_link_bytes_total{from="d0",to="d0"} 512`,
		`edgeshard_device_weight_bytes{device="d0"} 1000`, "edgeshard_recoveries_total 1",
		"edgeshard_time_to_first_token_seconds_count 1", "edgeshard_time_per_output_token_seconds_count 1",
		"edgeshard_generated_tokens_total " + strconv.Itoa(len(s.fake.tokenizer.Encode(story, false))),
		"edgeshard_prompt_tokens_total " + strconv.Itoa(len(s.fake.tokenizer.Encode("Once", true))),
		"process_resident_memory_bytes", "process_open_fds",
	} {
		if !strings.Contains(metrics, line+" ") && !strings.Contains(metrics, line+"\n") {
			t.Errorf("metrics lack %q", line)
		}
	}
	_, body := s.get("/status")
	var st serve.Status
	if err := json.Unmarshal([]byte(body), &st); err != nil || st.State != "ready" || st.Done != 1 || st.Recoveries != 1 || st.Tokens == 0 {
		t.Errorf("%v, %s", err, body)
	}
}
