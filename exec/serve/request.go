package serve

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/edgeshard/edgeshard/exec"
)

// common are the fields that both kinds of requests have.
type common struct {
	Model         string         `json:"model"`
	MaxTokens     *int           `json:"max_tokens"`
	Temperature   *float64       `json:"temperature"`
	TopP          *float64       `json:"top_p"`
	N             *int           `json:"n"`
	Seed          *int64         `json:"seed"`
	Stop          stops          `json:"stop"`
	Stream        *bool          `json:"stream"`
	StreamOptions *streamOptions `json:"stream_options"`
}

type streamOptions struct {
	IncludeUsage       bool `json:"include_usage"`
	IncludeObfuscation bool `json:"include_obfuscation"` // padding against observers of a network: not served, and harmless
}

var commonFields = []string{"model", "max_tokens", "temperature", "top_p", "n", "seed", "stop", "stream", "stream_options"}

// A job is what a request asks for, by whichever endpoint it came.
type job struct {
	prompts  [][]int // a sequence for each, and for each of the n choices
	echoes   []string
	n        int
	most     int // tokens of each
	sampling exec.Sampling
	stops    []string
	stream   bool
	usage    bool // at the end of a stream
	trim     bool // the space that a text begins with
}

// sequences is how many are to be generated.
func (j *job) sequences() int { return len(j.prompts) * j.n }

// job checks what both kinds of requests have.
func (c *common) job(m *Model) (*job, *Error) {
	j := &job{n: 1, stops: c.Stop, stream: c.Stream != nil && *c.Stream, sampling: exec.Sampling{Temperature: 1, TopP: 1, Seed: rand.Uint64()}}
	switch {
	case c.Model == "":
		return nil, badf("model", "want a model: %s is served", m.Name)
	case c.Model != m.Name:
		return nil, noModel(c.Model, m)
	case c.N != nil && *c.N < 1:
		return nil, badf("n", "n is %d: want 1 or more", *c.N)
	case c.StreamOptions != nil && !j.stream:
		return nil, badf("stream_options", "stream_options without stream")
	}
	if c.N != nil {
		j.n = *c.N
	}
	if c.Temperature != nil {
		j.sampling.Temperature = *c.Temperature
	}
	if !(j.sampling.Temperature >= 0 && j.sampling.Temperature <= 2) {
		return nil, badf("temperature", "temperature is %g: want 0 to 2", j.sampling.Temperature)
	}
	if c.TopP != nil {
		j.sampling.TopP = *c.TopP
	}
	if !(j.sampling.TopP > 0 && j.sampling.TopP <= 1) {
		return nil, badf("top_p", "top_p is %g: want more than 0 and at most 1", j.sampling.TopP)
	}
	if c.Seed != nil {
		j.sampling.Seed = uint64(*c.Seed)
	}
	j.usage = c.StreamOptions != nil && c.StreamOptions.IncludeUsage
	return j, nil
}

func noModel(name string, m *Model) *Error {
	return &Error{
		Status: http.StatusNotFound, Type: invalidRequest, Param: "model", Code: "model_not_found",
		Message: fmt.Sprintf("there is no model %q: %s is served", name, m.Name),
	}
}

// fit makes sure that all prompts have room for tokens more; nil: as many as
// there is room for, or usual where that is not 0.
func (j *job) fit(m *Model, tokens *int, field string, usual int) *Error {
	longest := 0
	for _, p := range j.prompts {
		longest = max(longest, len(p))
	}
	room := m.Positions - longest
	if longest > m.Prompt || room < 1 {
		return tooLong("%d prompt tokens: the plan is made for at most %d, and %d with what is generated", longest, m.Prompt, m.Positions)
	}
	switch {
	case tokens != nil && *tokens < 1:
		return badf(field, "%s is %d: want 1 or more", field, *tokens)
	case tokens != nil && *tokens > room:
		return tooLong("%d prompt tokens and %s %d: the plan is made for at most %d in all", longest, field, *tokens, m.Positions)
	case tokens != nil:
		j.most = *tokens
	case usual > 0:
		j.most = min(usual, room)
	default:
		j.most = room
	}
	return nil
}

func tooLong(format string, args ...any) *Error {
	e := badf("messages", format, args...)
	e.Code, e.Param = "context_length_exceeded", ""
	return e
}

// stops are the sequences that end a text: a string, or up to four.
type stops []string

func (s *stops) UnmarshalJSON(data []byte) error {
	var one *string
	if json.Unmarshal(data, &one) == nil {
		if one != nil {
			*s = stops{*one}
		}
	} else if err := json.Unmarshal(data, (*[]string)(s)); err != nil {
		return badf("stop", "stop is neither a string nor a list of strings")
	}
	if len(*s) > 4 {
		return badf("stop", "%d stop sequences: want at most 4", len(*s))
	}
	for _, stop := range *s {
		if stop == "" {
			return badf("stop", "an empty stop sequence")
		}
	}
	return nil
}
