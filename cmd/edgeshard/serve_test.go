package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A served is an `edgeshard serve` process.
type served struct {
	t   *testing.T
	cmd *exec.Cmd
	log logKeeper

	URL    string
	Model  string
	Prompt int `json:"max_prompt_tokens"`
}

// startServing runs `edgeshard serve` with the arguments until the test ends.
func startServing(t *testing.T, args ...string) *served {
	t.Helper()
	s := &served{t: t, cmd: exec.Command("edgeshard", append([]string{"serve", "--listen", "127.0.0.1:0", "--format", "json"}, args...)...)}
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
		if t.Failed() {
			for line := range strings.Lines(s.logged()) {
				if !strings.Contains(line, "msg=request ") || strings.Contains(line, "status=500") {
					t.Log(line)
				}
			}
		}
	})
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(s); err != nil {
		t.Fatalf("edgeshard serve told no address: %v", err)
	}
	return s
}

func (s *served) logged() string { return s.log.text() }

// A logKeeper keeps what a process writes, to be read meanwhile.
type logKeeper struct {
	mu   sync.Mutex
	kept strings.Builder
}

func (l *logKeeper) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.Write(p)
}

func (l *logKeeper) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.String()
}

// stop ends the server in order, which must be no failure.
func (s *served) stop() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	s.wait()
}

func (s *served) wait() {
	s.t.Helper()
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("edgeshard serve ended with %v after SIGTERM", err)
	}
}

// demoServing are arguments that serve the demo model on three local workers.
var demoServing = []string{"-t", "local-3", "-m", "demo", "--batch", "4", "--prompt-tokens", "32", "--tokens", "64"}

const tale = "Once upon a time"

// runText returns what `edgeshard run` makes of the tale on real workers.
func runText(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("edgeshard", "run", "-t", "local-3", "-m", "demo", "--backend", "exec", "--no-emulation",
		"--prompt", tale, "--tokens", "40", "--format", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Outputs []struct{ Text string } }
	if err := json.Unmarshal(out, &report); err != nil || len(report.Outputs) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	return report.Outputs[0].Text
}

// A clientChoice is what client.mjs tells of an answer.
type clientChoice struct {
	Text, Role, Finish, LogProbs, ID, Stop string
	Parts                                  int
	Likeliest                              bool
	Usage                                  struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
}

// TestOpenAIClient: what the official client gets, whole and streamed, is what
// `edgeshard run` says; it goes through keys.
func TestOpenAIClient(t *testing.T) {
	dir := filepath.Join("testdata", "openai")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node to run OpenAI's client with")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "openai")); err != nil {
		t.Skipf("OpenAI's client is not installed: npm ci --prefix cmd/edgeshard/%s", filepath.ToSlash(dir))
	}
	want := runText(t)
	const key = "a key for the tests"
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServing(t, append([]string{"--api-key-file", keys}, demoServing...)...)
	cmd := exec.Command(node, "client.mjs", s.URL, key, tale, "40")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("client.mjs: %v", err)
	}
	var got clientAccount
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got.checkAnswers(t, want)
	got.checkStops(t, want)
	got.checkRefusals(t)
	s.stop()
}

// A clientAccount is all that client.mjs tells.
type clientAccount struct {
	Model, Retrieved, Runner                       string
	Completion, CompletionStream, Chat, ChatStream clientChoice
	Stopped, StoppedStream                         clientChoice
	Drawn                                          [][]string
	Many                                           []string
	Refusals                                       map[string]string
}

// checkAnswers wants every way to ask to get the same text.
func (got *clientAccount) checkAnswers(t *testing.T, want string) {
	t.Helper()
	if got.Model != "demo" || got.Retrieved != "demo" {
		t.Errorf("models %q and %q", got.Model, got.Retrieved)
	}
	for name, c := range map[string]clientChoice{
		"completion": got.Completion, "streamed completion": got.CompletionStream, "chat": got.Chat, "streamed chat": got.ChatStream,
	} {
		if c.Text != want || c.Finish != "length" || c.Usage.Prompt != 5 || c.Usage.Completion != 40 || c.Usage.Total != 45 {
			t.Errorf("%s: %+v: want %q, of 5 and 40 tokens", name, c, want)
		}
	}
	if got.Runner != want || len(got.Many) != 1 || got.Many[0] != want {
		t.Errorf("the stream's helper says %q, many at once %q: want %q", got.Runner, got.Many, want)
	}
	if got.Completion.LogProbs != want || got.Completion.ID == "" || got.Chat.Role != "assistant" || !got.Chat.Likeliest || got.ChatStream.Parts < 40 {
		t.Errorf("%+v, %+v, %+v", got.Completion, got.Chat, got.ChatStream)
	}
}

// checkStops wants stop sequences obeyed, and draws of one seed equal.
func (got *clientAccount) checkStops(t *testing.T, want string) {
	t.Helper()
	cut, _, _ := strings.Cut(want, got.Stopped.Stop)
	if got.Stopped.Text != cut || got.StoppedStream.Text != cut || got.StoppedStream.Finish != "stop" {
		t.Errorf("stopped at %q: %q, and streamed %q: want %q", got.Stopped.Stop, got.Stopped.Text, got.StoppedStream.Text, cut)
	}
	if len(got.Drawn) != 2 || !cmp.Equal(got.Drawn[0], got.Drawn[1]) || got.Drawn[0][0] == got.Drawn[0][1] {
		t.Errorf("two draws of two choices with one seed: %q", got.Drawn)
	}
}

func (got *clientAccount) checkRefusals(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(map[string]string{
		"model":  "NotFoundError 404 model_not_found model",
		"suffix": "BadRequestError 400 unsupported_parameter suffix",
		"tools":  "BadRequestError 400 unsupported_parameter tools",
		"length": "BadRequestError 400 context_length_exceeded null",
		"key":    "AuthenticationError 401 invalid_api_key null",
	}, got.Refusals); diff != "" {
		t.Errorf("refusals:\n%s", diff)
	}
}

// TestServeDrains: at SIGTERM a request under way is finished, and the next one
// finds nobody.
func TestServeDrains(t *testing.T) {
	s := startServing(t, demoServing...)
	resp, err := http.Post(s.URL+"/completions", "application/json",
		strings.NewReader(`{"model":"demo","prompt":"Once","max_tokens":80,"temperature":0,"stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Scan() // the first token
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	last := ""
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if last != "data: [DONE]" {
		t.Errorf("the stream ended with %q, %v", last, lines.Err())
	}
	s.wait()
	if resp, err := http.Get(s.URL + "/models"); err == nil {
		resp.Body.Close()
		t.Error("somebody answers")
	}
}
