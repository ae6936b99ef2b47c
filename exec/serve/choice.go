package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeshard/edgeshard/exec"
)

// A choice is one of the sequences that a request asks for.
type choice struct {
	server *Server
	job    *job
	index  int

	prompt    []int
	echo      string
	seed      uint64
	stop      stopper
	generated int // tokens, the one that ends a text included
	finish    string

	runes   int // of the text, what is held back included
	sent    int // of them, given away
	pending []said
	trimmed bool // the space before the text is gone, or there was none

	text strings.Builder // of a whole answer
	said []said
}

// A part is some of a choice's text, or its end.
type part struct {
	index  int
	text   string
	said   []said
	finish string // why the choice ends; "": it does not
}

// said is a generated token.
type said struct {
	spoken
	top    []spoken
	offset int // where its text begins, in characters
}

// spoken is what a token stands for and how likely it was.
type spoken struct {
	bytes   string
	logProb float64
}

func newChoice(s *Server, j *job, index int) *choice {
	p := index / j.n
	return &choice{
		server: s, job: j, index: index, prompt: j.prompts[p], echo: j.echoes[p],
		seed: j.sampling.Seed + uint64(index%j.n), // the first of n is the one alone
		stop: stopper{stops: j.stops}, trimmed: !j.trim,
	}
}

// generate runs the choice to its end and gives its parts to emit.
func (c *choice) generate(ctx context.Context, g Generator, emit func(part) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // which frees the place of a sequence that a stop has ended
	begin := time.Now()
	sampling := c.job.sampling
	sampling.Seed = c.seed
	stream, err := g.Submit(ctx, exec.Request{Name: c.name(ctx), Prompt: c.prompt, MaxTokens: c.job.most, Sampling: sampling})
	if err != nil {
		return err
	}
	if c.echo != "" {
		c.runes = utf8.RuneCountInString(c.echo)
		c.sent = c.runes
		if err := emit(part{index: c.index, text: c.echo}); err != nil {
			return err
		}
	}
	m := c.server.monitor.sequence(len(c.prompt), begin)
	defer m.end()
	for c.finish == "" {
		t, err := stream.Next(ctx)
		if errors.Is(err, io.EOF) {
			return emit(c.last())
		}
		if err != nil {
			return err
		}
		m.token()
		if p, any := c.take(t); any {
			if err := emit(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// name is what logs call the sequence.
func (c *choice) name(ctx context.Context) string {
	if len(c.job.prompts)*c.job.n == 1 {
		return requestID(ctx)
	}
	return fmt.Sprintf("%s/%d", requestID(ctx), c.index)
}

// take adds a token and returns the part of the choice that is certain by now,
// if there is one.
func (c *choice) take(t exec.Token) (p part, any bool) {
	c.generated++
	text := t.Text
	if !c.trimmed && text != "" {
		c.trimmed, text = true, strings.TrimPrefix(text, " ")
	}
	tokenizer := c.server.options.Model.Tokenizer
	eos := t.ID == tokenizer.EOS()
	if c.job.sampling.LogProbs && !eos {
		c.pending = append(c.pending, c.tell(t))
	}
	c.runes += utf8.RuneCountInString(text)
	certain, hit := c.stop.add(text)
	switch {
	case hit:
		c.finish = "stop"
	case eos:
		c.finish = "stop"
		certain += c.stop.flush()
	}
	c.sent += utf8.RuneCountInString(certain)
	if certain == "" && c.finish == "" {
		return part{}, false
	}
	return part{index: c.index, text: certain, finish: c.finish, said: c.settled(eos)}, true
}

// last returns the end of a choice that has as many tokens as it may.
func (c *choice) last() part {
	if c.finish == "" {
		c.finish = "length"
	}
	return part{index: c.index, text: c.stop.flush(), finish: c.finish, said: c.settled(true)}
}

func (c *choice) tell(t exec.Token) said {
	tokenizer := c.server.options.Model.Tokenizer
	s := said{spoken: spoken{tokenizer.Bytes(t.ID), t.LogProb}, offset: c.runes}
	for _, a := range t.Top {
		s.top = append(s.top, spoken{tokenizer.Bytes(a.ID), a.LogProb})
	}
	return s
}

// settled returns the pending tokens whose text has been given away: those that
// end within it, all where no text follows, and where a stop has cut the text,
// those that begin before the cut.
func (c *choice) settled(all bool) []said {
	n := 0
	for ; n < len(c.pending); n++ {
		end := c.runes
		if n+1 < len(c.pending) {
			end = c.pending[n+1].offset
		}
		if !all && end > c.sent && (c.finish == "" || c.pending[n].offset >= c.sent) {
			break
		}
	}
	out := c.pending[:n:n]
	c.pending = c.pending[n:]
	return out
}
