package serve

import "strings"

// A stopper looks for stop sequences in a text that comes in parts, and holds
// back what could be the beginning of one.
type stopper struct {
	stops []string
	held  string
}

// add takes the next part. It returns the text that is certain, and whether a
// stop has come: then that ends before it, and nothing may follow.
func (s *stopper) add(text string) (certain string, hit bool) {
	text = s.held + text
	end := -1
	for _, stop := range s.stops {
		if i := strings.Index(text, stop); i >= 0 && (end < 0 || i < end) {
			end = i
		}
	}
	if end >= 0 {
		s.held = ""
		return text[:end], true
	}
	keep := 0
	for _, stop := range s.stops {
		keep = max(keep, overlap(text, stop))
	}
	s.held = text[len(text)-keep:]
	return text[:len(text)-keep], false
}

// flush returns what was held back, as no more text comes.
func (s *stopper) flush() string {
	text := s.held
	s.held = ""
	return text
}

// overlap returns the length of the longest end of text that stop begins with.
func overlap(text, stop string) int {
	for n := min(len(text), len(stop)-1); n > 0; n-- {
		if strings.HasSuffix(text, stop[:n]) {
			return n
		}
	}
	return 0
}
