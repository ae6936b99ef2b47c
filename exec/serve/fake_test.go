package serve_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/serve"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fake generator says the same to everybody, and remembers what it was asked.
type fake struct {
	tokenizer *models.Tokenizer
	ids       []int // to say; nil: those of text
	text      string
	err       error         // after what there is to say
	refuse    error         // of Submit
	hold      chan struct{} // every token but the first takes one of it; nil: none does

	mu    sync.Mutex
	asked []exec.Request
	left  int // that ended before their last token
}

func (f *fake) Submit(_ context.Context, q exec.Request) (serve.Generation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	f.asked = append(f.asked, q)
	ids := f.ids
	if ids == nil {
		ids = f.tokenizer.Encode(f.text, false)
	}
	if len(ids) > q.MaxTokens {
		ids = ids[:q.MaxTokens]
	}
	g := &fakeGeneration{fake: f, ids: ids, q: q, decoder: f.tokenizer.NewDecoder()}
	g.decoder.Next(f.tokenizer.Encode("x", false)[0]) // within a text
	return g, nil
}

func (f *fake) requests() []exec.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]exec.Request(nil), f.asked...)
}

type fakeGeneration struct {
	fake    *fake
	ids     []int
	q       exec.Request
	decoder *models.Decoder
	begun   bool
}

func (g *fakeGeneration) Next(ctx context.Context) (exec.Token, error) {
	if len(g.ids) == 0 {
		if g.fake.err != nil {
			return exec.Token{}, g.fake.err
		}
		return exec.Token{}, io.EOF
	}
	if g.fake.hold != nil && g.begun {
		select {
		case <-g.fake.hold:
		case <-ctx.Done():
			g.fake.mu.Lock()
			g.fake.left++
			g.fake.mu.Unlock()
			return exec.Token{}, context.Cause(ctx)
		}
	}
	g.begun = true
	t := exec.Token{ID: g.ids[0], Text: g.decoder.Next(g.ids[0])}
	g.ids = g.ids[1:]
	if len(g.ids) == 0 {
		t.Text += g.decoder.Flush()
	}
	if g.q.Sampling.LogProbs {
		t.LogProb = math.Log(0.5)
		for i := range g.q.Sampling.Alternatives {
			t.Top = append(t.Top, exec.Alternative{ID: t.ID + i, LogProb: math.Log(0.5) - float64(i)})
		}
	}
	return t, nil
}

var errBroken = errors.New("device d1: lost")

func demoTokenizer(t *testing.T) *models.Tokenizer {
	t.Helper()
	c, err := models.Open(models.Demo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	tok, err := c.Tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func demoOptions(t *testing.T) serve.Options {
	t.Helper()
	top, err := topologies.New("test", []topologies.Device{{Name: "d0", Memory: 1 << 30, Usable: 1 << 30, FLOPS: 1e9, MemoryBandwidth: 1e9}}, 0,
		func(int, int) topologies.Link { return topologies.Link{} })
	if err != nil {
		t.Fatal(err)
	}
	return serve.Options{
		Model: serve.Model{Name: "demo", Tokenizer: demoTokenizer(t), Template: serve.Plain, Prompt: 64, Positions: 128},
		Slots: 2, Queue: 2, Monitor: serve.NewMonitor(&edgeshard.Plan{Topology: top}),
	}
}

// A site is a server of a fake.
type site struct {
	t      *testing.T
	fake   *fake
	server *serve.Server
	url    string
}

func newSite(t *testing.T, f *fake, change func(*serve.Options)) *site {
	t.Helper()
	o := demoOptions(t)
	if change != nil {
		change(&o)
	}
	f.tokenizer = o.Model.Tokenizer
	s := serve.New(o)
	s.Ready(f)
	h := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		h.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return &site{t, f, s, h.URL}
}

// A head is what tests read of an answer beside its body.
type head struct {
	status int
	header http.Header
}

// post sends a body and returns what came back.
func (s *site) post(path, body string, headers ...string) (head, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return s.do(r, headers...)
}

func (s *site) get(path string, headers ...string) (head, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(r, headers...)
}

func (s *site) do(r *http.Request, headers ...string) (head, string) {
	s.t.Helper()
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return head{resp.StatusCode, resp.Header}, string(body)
}
