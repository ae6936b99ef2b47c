package serve

import (
	"encoding/json"
	"net/http"
	"strings"
)

// A chatRequest is the body of /v1/chat/completions.
type chatRequest struct {
	common
	Messages            []chatMessage `json:"messages"`
	MaxCompletionTokens *int          `json:"max_completion_tokens"`
	LogProbs            *bool         `json:"logprobs"`
	TopLogProbs         *int          `json:"top_logprobs"`
}

var chatFields = append([]string{"messages", "max_completion_tokens", "logprobs", "top_logprobs"}, commonFields...)

// A chatMessage is a turn as clients send it.
type chatMessage struct {
	Role    string  `json:"role"`
	Content content `json:"content"`

	ToolCalls    []json.RawMessage `json:"tool_calls"`
	FunctionCall json.RawMessage   `json:"function_call"`
	Audio        json.RawMessage   `json:"audio"`
}

// content is a text, or a list of parts that are all texts.
type content string

func (c *content) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			*c = content(*text)
		}
		return nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(data, &parts) != nil {
		return badf("messages", "a message's content is neither a string nor a list of parts")
	}
	for _, p := range parts {
		if p.Type != "text" {
			return badf("messages", "a message's part is of type %q: the model reads text only", p.Type)
		}
		*c += content(p.Text)
	}
	return nil
}

// turn returns the message, or why it is none for a model that reads and writes text.
func (m *chatMessage) turn(i int) (Message, *Error) {
	role := m.Role
	switch {
	case role == "developer":
		role = "system" // as the same messages have been called since
	case role != "system" && role != "user" && role != "assistant":
		return Message{}, badf("messages", "messages[%d] has role %q: want system, developer, user or assistant", i, m.Role)
	}
	for name, given := range map[string]bool{
		"tool_calls": len(m.ToolCalls) > 0, "function_call": present(m.FunctionCall), "audio": present(m.Audio),
	} {
		if given {
			return Message{}, badf("messages", "messages[%d] has %s, which are not supported", i, name)
		}
	}
	return Message{role, string(m.Content)}, nil
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// chat answers /v1/chat/completions.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	s.ask(w, r, &chatRequest{}, chatFields, chatShape)
}

// job checks the request and encodes its chat.
func (q *chatRequest) job(m *Model) (*job, *Error) {
	j, e := q.common.job(m)
	if e != nil {
		return nil, e
	}
	if len(q.Messages) == 0 {
		return nil, badf("messages", "want at least one message")
	}
	chat := make([]Message, len(q.Messages))
	for i := range q.Messages {
		if chat[i], e = q.Messages[i].turn(i); e != nil {
			return nil, e
		}
	}
	ids, err := m.Template.Encode(m.Tokenizer, chat)
	if err != nil {
		return nil, badf("messages", "%v", err)
	}
	j.prompts, j.echoes, j.trim = [][]int{ids}, []string{""}, true
	if e := q.logProbs(j); e != nil {
		return nil, e
	}
	tokens, field := q.MaxCompletionTokens, "max_completion_tokens"
	if q.MaxTokens != nil {
		if tokens != nil {
			return nil, badf("max_tokens", "max_tokens beside max_completion_tokens")
		}
		tokens, field = q.MaxTokens, "max_tokens"
	}
	return j, j.fit(m, tokens, field, 0)
}

func (q *chatRequest) logProbs(j *job) *Error {
	j.sampling.LogProbs = q.LogProbs != nil && *q.LogProbs
	if q.TopLogProbs == nil {
		return nil
	}
	j.sampling.Alternatives = *q.TopLogProbs
	switch {
	case !j.sampling.LogProbs:
		return badf("top_logprobs", "top_logprobs without logprobs")
	case j.sampling.Validate() != nil:
		return badf("top_logprobs", "top_logprobs is %d: want 0 to 20", *q.TopLogProbs)
	}
	return nil
}

// chatShape is how answers of /v1/chat/completions look.
var chatShape = &shape{
	id: "chatcmpl-", whole: "chat.completion", part: "chat.completion.chunk",
	choice: func(c *choice) object {
		return object{
			"index": c.index, "finish_reason": c.finish, "logprobs": chatLogProbs(c.said, c.job.sampling.LogProbs),
			"message": object{"role": "assistant", "content": c.text.String(), "refusal": nil},
		}
	},
	begin: func(index int) object {
		return object{
			"index": index, "finish_reason": nil, "logprobs": nil,
			"delta": object{"role": "assistant", "content": "", "refusal": nil},
		}
	},
	delta: func(p part) object {
		delta := object{}
		if p.finish == "" || p.text != "" {
			delta["content"] = p.text
		}
		return object{
			"index": p.index, "finish_reason": orNull(p.finish), "logprobs": chatLogProbs(p.said, len(p.said) > 0), "delta": delta,
		}
	},
}

// A chatToken is a token with its log-probability, in the shape of chats.
type chatToken struct {
	Token   string      `json:"token"`
	LogProb float64     `json:"logprob"`
	Bytes   []int       `json:"bytes"`
	Top     []chatToken `json:"top_logprobs,omitempty"`
}

func chatLogProbs(tokens []said, wanted bool) any {
	if !wanted {
		return nil
	}
	type entry struct {
		chatToken
		Top []chatToken `json:"top_logprobs"` // there even if empty
	}
	entries := make([]entry, len(tokens))
	for i, t := range tokens {
		entries[i] = entry{newChatToken(t.bytes, t.logProb), make([]chatToken, len(t.top))}
		for k, a := range t.top {
			entries[i].Top[k] = newChatToken(a.bytes, a.logProb)
		}
	}
	return object{"content": entries, "refusal": nil}
}

func newChatToken(text string, logProb float64) chatToken {
	t := chatToken{Token: strings.ToValidUTF8(text, "\ufffd"), LogProb: logProb, Bytes: make([]int, len(text))}
	for i := range len(text) {
		t.Bytes[i] = int(text[i])
	}
	return t
}
