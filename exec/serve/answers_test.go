package serve_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/exec/serve"
)

// reply is what tests read of an answer, or of a part of one.
type reply struct {
	Object  string
	Choices []struct {
		Index        int
		Text         string
		Message      struct{ Role, Content string }
		Delta        struct{ Role, Content string }
		FinishReason *string         `json:"finish_reason"`
		LogProbs     json.RawMessage `json:"logprobs"`
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
	Error *struct {
		Message, Type string
		Param, Code   *string
	}
}

func read(t *testing.T, body string) reply {
	t.Helper()
	var r reply
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return r
}

// parts reads a stream, which must end with [DONE].
func parts(t *testing.T, body string) []reply {
	t.Helper()
	var all []reply
	events := strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n")
	for i, e := range events {
		data, ok := strings.CutPrefix(e, "data: ")
		if !ok {
			t.Fatalf("event %q", e)
		}
		if i == len(events)-1 {
			if data != "[DONE]" {
				t.Fatalf("the stream ends with %q", data)
			}
			return all
		}
		all = append(all, read(t, data))
	}
	return all
}

const (
	story = "The fox ran over the hill and slept."
	ask   = `{"model":"demo","prompt":"Once","temperature":0,"max_tokens":60`
	talk  = `{"model":"demo","messages":[{"role":"user","content":"Once"}],"temperature":0`
)

// TestWhole: an answer has the text, the reason of its end and the tokens counted.
func TestWhole(t *testing.T) {
	s := newSite(t, &fake{text: story}, nil)
	n := len(s.fake.tokenizer.Encode(story, false))
	for _, c := range []struct {
		path, body, text, finish string
		tokens                   int
	}{
		{"/v1/completions", ask + `}`, " " + story, "length", n},
		{"/v1/completions", ask + `,"echo":true}`, "Once " + story, "length", n},
		{"/v1/completions", ask + `,"stop":" hill"}`, " The fox ran over the", "stop", 0},
		{"/v1/completions", ask + `,"stop":["nothing","over","fox"]}`, " The ", "stop", 0},
		{"/v1/completions", `{"model":"demo","prompt":[1,5],"max_tokens":1}`, " The", "length", 1},
		{"/v1/chat/completions", talk + `}`, story, "length", n},
		{"/v1/chat/completions", talk + `,"max_tokens":1}`, "The", "length", 1},
		{"/v1/chat/completions", talk + `,"stop":"The fox"}`, "", "stop", 0},
		{"/v1/chat/completions", talk + `,"frequency_penalty":0,"tools":[],"user":"me","logit_bias":{},"response_format":{"type": "text"},"stop":null}`, story, "length", n},
	} {
		resp, body := s.post(c.path, c.body)
		r := read(t, body)
		if resp.status != 200 || len(r.Choices) != 1 {
			t.Fatalf("%s: %d %s", c.body, resp.status, body)
		}
		got := r.Choices[0]
		if text := got.Text + got.Message.Content; text != c.text || *got.FinishReason != c.finish {
			t.Errorf("%s: %q by %s, want %q by %s", c.body, text, *got.FinishReason, c.text, c.finish)
		}
		if c.tokens > 0 && r.Usage.Completion != c.tokens || r.Usage.Total != r.Usage.Prompt+r.Usage.Completion {
			t.Errorf("%s: usage %+v, want %d tokens", c.body, r.Usage, c.tokens)
		}
	}
}

// TestStreamed: the parts of a stream make up the whole answer.
func TestStreamed(t *testing.T) {
	s := newSite(t, &fake{text: story}, nil)
	for _, c := range []struct{ path, body string }{
		{"/v1/completions", ask}, {"/v1/completions", ask + `,"stop":["the hill","hills"]`},
		{"/v1/completions", ask + `,"echo":true,"n":2`},
		{"/v1/chat/completions", talk}, {"/v1/chat/completions", talk + `,"stop":"slept. And"`},
	} {
		_, body := s.post(c.path, c.body+"}")
		whole := read(t, body)
		_, body = s.post(c.path, c.body+`,"stream":true,"stream_options":{"include_usage":true}}`)
		texts, finishes := make([]string, len(whole.Choices)), make([]string, len(whole.Choices))
		all := parts(t, body)
		for i, p := range all[:len(all)-1] {
			if len(p.Choices) != 1 || p.Usage != nil {
				t.Fatalf("part %d is %+v", i, p)
			}
			q := p.Choices[0]
			if finishes[q.Index] != "" {
				t.Errorf("%s: a part after the end", c.body)
			}
			texts[q.Index] += q.Text + q.Delta.Content
			if q.FinishReason != nil {
				finishes[q.Index] = *q.FinishReason
			}
		}
		if diff := cmp.Diff(whole.Usage, all[len(all)-1].Usage); diff != "" {
			t.Errorf("%s: usage of the whole (-) and of the stream (+):\n%s", c.body, diff)
		}
		for i, q := range whole.Choices {
			if want := q.Text + q.Message.Content; texts[i] != want || finishes[i] != *q.FinishReason {
				t.Errorf("%s: streamed %q by %s, whole %q by %s", c.body, texts[i], finishes[i], want, *q.FinishReason)
			}
		}
	}
}

// TestSeveral: lists of prompts and n choices come by index, with seeds of their own.
func TestSeveral(t *testing.T) {
	s := newSite(t, &fake{text: story}, nil)
	_, body := s.post("/v1/completions", `{"model":"demo","prompt":["A","Bee"],"n":2,"seed":7,"temperature":0.5,"top_p":0.9,"max_tokens":3}`)
	r := read(t, body)
	if len(r.Choices) != 4 || r.Choices[3].Index != 3 || r.Usage.Completion != 12 {
		t.Fatalf("%s", body)
	}
	var seeds []uint64
	for _, q := range s.fake.requests() {
		seeds = append(seeds, q.Sampling.Seed)
		if q.Sampling.Temperature != 0.5 || q.Sampling.TopP != 0.9 || q.MaxTokens != 3 {
			t.Errorf("%+v", q)
		}
	}
	slices.Sort(seeds)
	if diff := cmp.Diff([]uint64{7, 7, 8, 8}, seeds); diff != "" {
		t.Errorf("seeds:\n%s", diff)
	}
}

// TestEOS: the token that ends a text has none, and is no length.
func TestEOS(t *testing.T) {
	f := &fake{}
	tok := demoTokenizer(t)
	f.ids = append(tok.Encode("The end", false), tok.EOS())
	s := newSite(t, f, nil)
	_, body := s.post("/v1/completions", ask+`,"logprobs":1,"stop":"the end of"}`)
	r := read(t, body)
	if q := r.Choices[0]; q.Text != " The end" || *q.FinishReason != "stop" || r.Usage.Completion != len(f.ids) {
		t.Errorf("%s", body)
	}
	var l struct{ Tokens []string }
	if err := json.Unmarshal(r.Choices[0].LogProbs, &l); err != nil || len(l.Tokens) != len(f.ids)-1 {
		t.Errorf("%v, %s", err, body)
	}
}

// wholeAndStreamed are what a request adds to get its answer in one piece, or not.
var wholeAndStreamed = []string{"", `,"stream":true`}

// TestLogProbs holds a completion's columns to the tokens said, streamed or not.
func TestLogProbs(t *testing.T) {
	s := newSite(t, &fake{text: "The é 🦊."}, nil)
	n := len(s.fake.tokenizer.Encode("The é 🦊.", false))
	type logProbs struct {
		Tokens []string
		Own    []float64            `json:"token_logprobs"`
		Top    []map[string]float64 `json:"top_logprobs"`
		Offset []int                `json:"text_offset"`
	}
	for _, stream := range wholeAndStreamed {
		var all logProbs
		text := ""
		for _, r := range s.all("/v1/completions", ask+`,"logprobs":2,"echo":false,"stop":"zzz"`+stream+"}") {
			text += r.Choices[0].Text
			var l logProbs
			if err := json.Unmarshal(r.Choices[0].LogProbs, &l); err != nil {
				t.Fatal(err)
			}
			all.Tokens, all.Own = append(all.Tokens, l.Tokens...), append(all.Own, l.Own...)
			all.Top, all.Offset = append(all.Top, l.Top...), append(all.Offset, l.Offset...)
		}
		if text != " The é 🦊." || len(all.Tokens) != n || all.Offset[0] != 0 || all.Own[0] != math.Log(0.5) || len(all.Top[1]) != 2 {
			t.Errorf("%q, %+v", text, all)
		}
		if last := all.Offset[n-1]; last != 8 {
			t.Errorf("the last token is at %d, want 8", last)
		}
	}
}

// TestChatLogProbs holds a chat's rows to the tokens said, streamed or not.
func TestChatLogProbs(t *testing.T) {
	s := newSite(t, &fake{text: "The é 🦊."}, nil)
	for _, stream := range wholeAndStreamed {
		var bytes []byte
		for _, r := range s.all("/v1/chat/completions", talk+`,"logprobs":true,"top_logprobs":3`+stream+"}") {
			var l struct {
				Content []struct {
					Bytes []byte
					Top   []struct{ Token string } `json:"top_logprobs"`
				}
			}
			if raw := r.Choices[0].LogProbs; raw != nil {
				if err := json.Unmarshal(raw, &l); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range l.Content {
				bytes = append(bytes, c.Bytes...)
				if len(c.Top) != 3 {
					t.Errorf("%+v: want 3 alternatives", c)
				}
			}
		}
		if string(bytes) != " The é 🦊." {
			t.Errorf("tokens spell %q", bytes)
		}
	}
}

// all returns the answer's choices, whole or in parts.
func (s *site) all(path, body string) []reply {
	s.t.Helper()
	_, got := s.post(path, body)
	if strings.HasPrefix(got, "data: ") {
		return parts(s.t, got)
	}
	return []reply{read(s.t, got)}
}

// TestLogProbsBeforeStop: tokens that a stop has cut off are not told of.
func TestLogProbsBeforeStop(t *testing.T) {
	s := newSite(t, &fake{text: story}, nil)
	for _, r := range s.all("/v1/completions", ask+`,"logprobs":0,"stop":" over"}`) {
		var l struct {
			Tokens []string
			Offset []int `json:"text_offset"`
		}
		if err := json.Unmarshal(r.Choices[0].LogProbs, &l); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(l.Tokens, ""); got != r.Choices[0].Text || got != " The fox ran" {
			t.Errorf("tokens %q for text %q", got, r.Choices[0].Text)
		}
	}
}

// TestModels: the list has the one model, with what clients need to know of it.
func TestModels(t *testing.T) {
	s := newSite(t, &fake{}, func(o *serve.Options) { o.Model.Template = serve.Llama2 })
	for _, path := range []string{"/v1/models", "/v1/models/demo"} {
		resp, body := s.get(path)
		if resp.status != 200 || !strings.Contains(body, `"id":"demo"`) || !strings.Contains(body, `"chat_template":"llama2"`) {
			t.Errorf("%s: %d %s", path, resp.status, body)
		}
	}
	if resp, body := s.get("/v1/models/other"); resp.status != 404 || *read(t, body).Error.Code != "model_not_found" {
		t.Errorf("%d %s", resp.status, body)
	}
}
