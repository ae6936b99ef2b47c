package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// A completionRequest is the body of /v1/completions.
type completionRequest struct {
	common
	Prompt   prompts `json:"prompt"`
	LogProbs *int    `json:"logprobs"`
	Echo     *bool   `json:"echo"`
}

var completionFields = append([]string{"prompt", "logprobs", "echo"}, commonFields...)

// usualTokens is how many tokens are generated where the request does not say.
const usualTokens = 16

// prompts are texts, or tokens.
type prompts struct {
	texts  []string
	tokens [][]int
}

func (p *prompts) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			p.texts = []string{*text}
		}
		return nil
	}
	if json.Unmarshal(data, &p.texts) == nil {
		return nil
	}
	p.texts = nil
	var tokens []int
	if json.Unmarshal(data, &tokens) == nil {
		p.tokens = [][]int{tokens}
		return nil
	}
	if json.Unmarshal(data, &p.tokens) == nil {
		return nil
	}
	return badf("prompt", "prompt is none of a string, a list of strings, a list of tokens and a list of those")
}

// completions answers /v1/completions.
func (s *Server) completions(w http.ResponseWriter, r *http.Request) {
	s.ask(w, r, &completionRequest{}, completionFields, completionShape)
}

// job checks the request and encodes its prompts.
func (q *completionRequest) job(m *Model) (*job, *Error) {
	j, e := q.common.job(m)
	if e != nil {
		return nil, e
	}
	if e := q.encode(j, m); e != nil {
		return nil, e
	}
	if q.LogProbs != nil {
		j.sampling.LogProbs, j.sampling.Alternatives = true, *q.LogProbs
		if *q.LogProbs < 0 || *q.LogProbs > 5 {
			return nil, badf("logprobs", "logprobs is %d: want 0 to 5", *q.LogProbs)
		}
	}
	if q.Echo != nil && *q.Echo {
		if j.sampling.LogProbs {
			return nil, badf("echo", "echo beside logprobs: there are none of the prompt")
		}
	} else {
		clear(j.echoes)
	}
	return j, j.fit(m, q.MaxTokens, "max_tokens", usualTokens)
}

// encode makes tokens of the prompts, and of tokens the texts to echo.
func (q *completionRequest) encode(j *job, m *Model) *Error {
	for _, text := range q.Prompt.texts {
		j.prompts, j.echoes = append(j.prompts, m.Tokenizer.Prompt(text)), append(j.echoes, text)
	}
	for i, ids := range q.Prompt.tokens {
		if len(ids) == 0 {
			return badf("prompt", "prompt %d has no tokens", i)
		}
		for _, id := range ids {
			if id < 0 || id >= m.Tokenizer.Vocab() {
				return badf("prompt", "prompt %d has token %d: the vocabulary has %d", i, id, m.Tokenizer.Vocab())
			}
		}
		j.prompts, j.echoes = append(j.prompts, ids), append(j.echoes, m.Tokenizer.Decode(ids))
	}
	if len(j.prompts) == 0 {
		return badf("prompt", "want a prompt; an empty one is \"\"")
	}
	return nil
}

// completionShape is how answers of /v1/completions look.
var completionShape = &shape{
	id: "cmpl-", whole: "text_completion", part: "text_completion",
	choice: func(c *choice) object {
		return object{
			"index": c.index, "finish_reason": c.finish, "logprobs": completionLogProbs(c.said, c.job.sampling.LogProbs), "text": c.text.String(),
		}
	},
	delta: func(p part) object {
		return object{
			"index": p.index, "finish_reason": orNull(p.finish), "logprobs": completionLogProbs(p.said, len(p.said) > 0), "text": p.text,
		}
	},
}

// completionLogProbs returns the legacy shape of log-probabilities: columns.
func completionLogProbs(all []said, wanted bool) any {
	if !wanted {
		return nil
	}
	tokens, own, offsets := make([]string, len(all)), make([]float64, len(all)), make([]int, len(all))
	top := make([]map[string]float64, len(all))
	for i, t := range all {
		tokens[i], own[i], offsets[i] = spelled(t.bytes), t.logProb, t.offset
		top[i] = map[string]float64{spelled(t.bytes): t.logProb}
		for _, a := range t.top {
			top[i][spelled(a.bytes)] = a.logProb
		}
	}
	return object{"tokens": tokens, "token_logprobs": own, "top_logprobs": top, "text_offset": offsets}
}

// spelled writes a token that is part of a character by its bytes.
func spelled(bytes string) string {
	if utf8.ValidString(bytes) {
		return bytes
	}
	text := "bytes:"
	for i := range len(bytes) {
		text += fmt.Sprintf("\\x%02x", bytes[i])
	}
	return text
}
