package edgeshard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard/internal/csvfile"
)

// A replayFormat is a known CSV file of requests: the names of its columns, and
// how its times are written.
type replayFormat struct {
	arrival, prompt, tokens string
	seconds                 func(text string) (float64, error)
}

// The formats: our own; the Azure LLM inference traces (github.com/Azure/
// AzurePublicDataset); BurstGPT (github.com/HPMLL/BurstGPT).
var replayFormats = []replayFormat{
	{"arrival_s", "prompt_tokens", "tokens", number},
	{"TIMESTAMP", "ContextTokens", "GeneratedTokens", dateTime},
	{"Timestamp", "Request tokens", "Response tokens", number},
}

func number(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// dateTime reads a date and time as seconds since the year 2000, the unit of
// which has no bearing: times are taken from the first one.
func dateTime(text string) (float64, error) {
	t, err := time.Parse("2006-01-02 15:04:05.999999999", strings.TrimSuffix(text, "+00:00"))
	if err != nil {
		return 0, errors.New("not a date and time")
	}
	return t.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Seconds(), nil
}

const maxReplay = 10_000_000

// ReadReplay reads the workload's ReplayFile, if it has one; its path is relative
// to a folder. The file's requests replace those the workload would draw: their
// number, the longest prompt and the most tokens become the workload's.
func (w *Workload) ReadReplay(dir string) error {
	if w.ReplayFile == "" {
		return nil
	}
	path := w.ReplayFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	requests, err := ParseReplay(path, f)
	if err != nil {
		return err
	}
	w.SetReplay(requests)
	return nil
}

// SetReplay makes the workload one of the given requests.
func (w *Workload) SetReplay(requests []Request) {
	w.Replay, w.Requests, w.PromptTokens, w.Tokens = requests, len(requests), 1, 1
	for _, r := range requests {
		w.PromptTokens, w.Tokens = max(w.PromptTokens, r.Prompt), max(w.Tokens, r.Tokens)
	}
}

// ParseReplay reads requests from CSV: with the columns arrival_s, prompt_tokens
// and tokens, or as the Azure LLM inference traces or BurstGPT write them. The
// first request arrives at 0. Requests that generated nothing, as failed ones in
// these traces, are left out. Errors name the file and the line.
func ParseReplay(file string, r io.Reader) ([]Request, error) {
	var p *replayParser
	err := csvfile.Read(file, r, func(header []string) (err error) {
		p, err = replayOf(header)
		return err
	}, func(row []string) error { return p.add(row) })
	if err != nil {
		return nil, err
	}
	if len(p.requests) == 0 {
		return nil, fmt.Errorf("%s: no request that generated a token", file)
	}
	return p.requests, nil
}

// A replayParser knows where the columns are.
type replayParser struct {
	replayFormat
	at, prompt, generated int
	requests              []Request
	first, last           float64
}

func replayOf(header []string) (*replayParser, error) {
	for _, f := range replayFormats {
		p := &replayParser{replayFormat: f, at: slices.Index(header, f.arrival), prompt: slices.Index(header, f.prompt), generated: slices.Index(header, f.tokens)}
		if p.at >= 0 && p.prompt >= 0 && p.generated >= 0 {
			return p, nil
		}
	}
	return nil, fmt.Errorf("expected the columns arrival_s, prompt_tokens and tokens, or those of the Azure or BurstGPT traces, found %q", header)
}

func (p *replayParser) add(row []string) error {
	at, err := p.seconds(row[p.at])
	if err != nil || !(at >= 0 && at <= 1e10) {
		return fmt.Errorf("%s: expected a time, found %q", p.arrival, row[p.at])
	}
	prompt, err := tokenCount(p.replayFormat.prompt, row[p.prompt])
	if err != nil {
		return err
	}
	tokens, err := tokenCount(p.tokens, row[p.generated])
	if err != nil || tokens == 0 {
		return err
	}
	switch n := len(p.requests); {
	case n == 0:
		p.first = at
	case at < p.last:
		return fmt.Errorf("%s: expected times in order, found %s after one %.6g s later", p.arrival, row[p.at], p.last-at)
	case n == maxReplay:
		return fmt.Errorf("expected at most %d requests", maxReplay)
	}
	p.last = at
	p.requests = append(p.requests, Request{
		ID: len(p.requests), Arrival: time.Duration((at - p.first) * 1e9), Prompt: max(prompt, 1), Tokens: tokens,
	})
	return nil
}

func tokenCount(column, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<20 {
		return 0, fmt.Errorf("%s: expected 0 to %d tokens, found %q", column, 1<<20, text)
	}
	return n, nil
}

// validateReplay reports requests that do not fit the workload's own numbers.
func (w *Workload) validateReplay() error {
	if len(w.Replay) == 0 {
		return nil
	}
	if len(w.Replay) != w.Requests {
		return fmt.Errorf("requests is %d: want the %d that are replayed", w.Requests, len(w.Replay))
	}
	last := time.Duration(0)
	for i, r := range w.Replay {
		if r.ID != i || r.Arrival < last || r.Prompt < 1 || r.Prompt > w.PromptTokens || r.Tokens < 1 || r.Tokens > w.Tokens {
			return fmt.Errorf("replay[%d]: want ids and arrivals in order, 1 to %d prompt tokens and 1 to %d tokens, found %+v", i, w.PromptTokens, w.Tokens, r)
		}
		last = r.Arrival
	}
	return nil
}
