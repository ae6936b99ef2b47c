package exec

import (
	"errors"
	"fmt"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A Request is a sequence to generate.
type Request struct {
	Name      string // in logs, of the coordinator and of workers
	Prompt    []int  // tokens, BOS included where there is to be one
	MaxTokens int    // to generate, at most
	IgnoreEOS bool   // generate them all, whatever the model says
	Sampling  Sampling
}

// Sampling says how tokens are drawn. A draw depends on the seed and on the
// token's position alone, so the same prompt, sampling and model give the same
// tokens whatever the plan, the schedule and the other requests.
type Sampling struct {
	Temperature float64 // 0: the most likely token
	TopP        float64 // nucleus sampling; 0 or 1: off
	Seed        uint64
	LogProbs    bool // tell each token's log-probability
	// Alternatives is how many of the most likely tokens come with each token, at
	// most MaxAlternatives; it needs LogProbs.
	Alternatives int
}

// MaxAlternatives is the most alternatives of a token that can be had.
const MaxAlternatives = 20

// A Token is one that was generated.
type Token struct {
	ID      int
	Text    string  // what it completes; at the last token all that is left
	LogProb float64 // natural logarithm of what the model gives it, before temperature and top-p
	Top     []Alternative
}

// An Alternative is a token that could have been.
type Alternative struct {
	ID      int
	LogProb float64
}

// Validate reports what no token can be drawn by.
func (s *Sampling) Validate() error {
	switch {
	case !(s.Temperature >= 0 && s.Temperature <= 100):
		return fmt.Errorf("temperature is %g: want 0 to 100", s.Temperature)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("top_p is %g: want 0 to 1", s.TopP)
	case s.Alternatives < 0 || s.Alternatives > MaxAlternatives:
		return fmt.Errorf("%d alternatives: want 0 to %d", s.Alternatives, MaxAlternatives)
	case s.Alternatives > 0 && !s.LogProbs:
		return errors.New("alternatives without log-probabilities")
	}
	return nil
}

// samplingOf returns how a workload's request is sampled.
func samplingOf(w *edgeshard.Workload, request int) Sampling {
	return Sampling{Temperature: w.Temperature, TopP: w.TopP, Seed: llama.RequestSeed(w.Seed, request)}
}

// message returns s for the wire.
func (s *Sampling) message() *wire.Sampling {
	return &wire.Sampling{
		Temperature: s.Temperature, TopP: s.TopP, Seed: s.Seed,
		LogProbs: s.LogProbs, Alternatives: uint32(s.Alternatives),
	}
}

// tokenOf returns the token that a sequence has come back with; its text is yet
// to be decoded.
func tokenOf(q *wire.Sequence) Token {
	t := Token{ID: int(q.GetTokens()[0]), LogProb: q.GetLogProbs().GetToken()}
	for _, a := range q.GetLogProbs().GetAlternatives() {
		t.Top = append(t.Top, Alternative{int(a.GetToken()), a.GetLogProb()})
	}
	return t
}

// checkSampling holds what a peer wants drawn, or has drawn, to sense.
func checkSampling(q *wire.Sequence, vocab int) error {
	m := q.GetSampling()
	s := Sampling{
		Temperature: m.GetTemperature(), TopP: m.GetTopP(), LogProbs: m.GetLogProbs(),
		Alternatives: int(m.GetAlternatives()),
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("sequence %d: %w", q.GetRequest(), err)
	}
	drawn := q.GetLogProbs().GetAlternatives()
	if len(drawn) > MaxAlternatives {
		return fmt.Errorf("sequence %d comes with %d alternatives: want at most %d", q.GetRequest(), len(drawn), MaxAlternatives)
	}
	for _, a := range drawn {
		if int(a.GetToken()) >= vocab {
			return fmt.Errorf("sequence %d comes with token %d: the vocabulary has %d", q.GetRequest(), a.GetToken(), vocab)
		}
	}
	return nil
}
