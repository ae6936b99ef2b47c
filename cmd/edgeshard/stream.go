package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/edgeshard/edgeshard"
)

// newStreamer returns a streamer of a plan's run.
func (a *app) newStreamer(p *edgeshard.Plan, width int) *streamer {
	s := &streamer{app: a, single: p.Workload.Requests == 1, width: width}
	if len(p.Workload.Prompts) > 0 {
		s.prompt = p.Workload.Prompts[0]
	}
	return s
}

// streamer shows the text of a run's only request as it comes, word by word
// where width says at which column to break lines.
type streamer struct {
	app    *app
	single bool
	prompt string // shown before what the model makes of it
	width  int    // 0: lines are the model's own

	begun  bool
	column int
	word   string // not yet shown, as its end is not known
}

var _ edgeshard.Observer = (*streamer)(nil)

func (s *streamer) Span(edgeshard.Span) {}

func (s *streamer) Text(_, _ int, text string) {
	if !s.single || s.app.format != "text" {
		return
	}
	if !s.begun {
		s.begun = true
		s.app.clear()
		text = s.prompt + text
	}
	if s.width == 0 {
		s.write(text)
		return
	}
	s.word += text
	for {
		i := strings.IndexAny(s.word, " \n")
		if i < 0 {
			return
		}
		s.put(s.word[:i], s.word[i] == '\n')
		s.word = s.word[i+1:]
	}
}

// end shows what is left, and ends the line.
func (s *streamer) end() {
	if !s.begun {
		return
	}
	if s.word != "" {
		s.put(s.word, false)
		s.word = ""
	}
	if s.column > 0 || s.width == 0 {
		s.write("\n")
	}
}

// put shows a word, on a new line where it does not fit on this one.
func (s *streamer) put(word string, last bool) {
	n := utf8.RuneCountInString(word)
	switch {
	case s.column == 0:
		s.write("  " + word)
	case s.column+1+n > s.width:
		s.write("\n  " + word)
		s.column = 0
	default:
		s.write(" " + word)
	}
	s.column += n + 1
	if last {
		s.write("\n")
		s.column = 0
	}
}

func (s *streamer) write(text string) { _, _ = fmt.Fprint(s.app.out, text) }
