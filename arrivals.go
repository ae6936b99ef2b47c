package edgeshard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/edgeshard/edgeshard/internal/dist"
)

// A Request is one sequence to generate.
type Request struct {
	ID      int           `json:"id"`
	Class   int           `json:"class,omitempty"` // index into the workload's classes
	Arrival time.Duration `json:"arrival_ns"`      // since the run's start
	Prompt  int           `json:"prompt_tokens"`
	Tokens  int           `json:"tokens"` // to generate, at most
}

// A Length is a distribution of numbers of tokens: one with a name, or the
// values of a sample, each as likely.
type Length struct {
	Distribution string  `json:"distribution,omitempty" toml:"distribution"` // constant, uniform, exponential, gamma, weibull or lognormal
	Mean         float64 `json:"mean,omitempty" toml:"mean"`
	CV           float64 `json:"cv,omitempty" toml:"cv"` // coefficient of variation
	Values       []int   `json:"values,omitempty" toml:"values"`
}

func (l *Length) dist() dist.Distribution {
	return dist.Distribution{Name: l.Distribution, Mean: l.Mean, CV: l.CV}
}

// An SLO is a service-level objective; 0 stands for none.
type SLO struct {
	TTFTMS float64 `json:"ttft_ms,omitempty" toml:"ttft_ms"` // most time to the first token
	TPOTMS float64 `json:"tpot_ms,omitempty" toml:"tpot_ms"` // most time per further token
}

// A Class is a kind of requests, a Share of all of them relative to the others'.
type Class struct {
	Name         string  `json:"name" toml:"name"`
	Share        float64 `json:"share" toml:"share"`
	PromptLength *Length `json:"prompt_length,omitempty" toml:"prompt_length"` // in place of the workload's
	TokenLength  *Length `json:"token_length,omitempty" toml:"token_length"`
	SLO          SLO     `json:"slo,omitzero" toml:"slo"`
}

// arrival returns the distribution of the seconds between arrivals.
func (w *Workload) arrival() dist.Distribution {
	d := dist.Distribution{Name: w.Arrival, Mean: 1 / w.Rate, CV: w.ArrivalCV}
	if w.Arrival == "" || w.Arrival == "poisson" {
		d.Name = "exponential"
	}
	return d
}

// validateDraws reports what cannot be drawn, or replayed.
func (w *Workload) validateDraws() error {
	if w.Rate > 0 {
		if err := w.arrival().Validate(); err != nil {
			return fmt.Errorf("arrival: %w", err)
		}
	} else if w.Arrival != "" || w.ArrivalCV != 0 {
		return fmt.Errorf("arrival is %q with a rate_per_s of 0: want a rate above 0", w.Arrival)
	}
	if err := validateLengthsOf("", w.PromptLength, w.TokenLength, w.SLO); err != nil {
		return err
	}
	total := 0.0
	for _, c := range w.Classes {
		if !(c.Share >= 0 && c.Share <= 1e9) {
			return fmt.Errorf("class %q: share is %g: want 0 or more", c.Name, c.Share)
		}
		total += c.Share
		if err := validateLengthsOf(fmt.Sprintf("class %q: ", c.Name), c.PromptLength, c.TokenLength, c.SLO); err != nil {
			return err
		}
	}
	if len(w.Classes) > 0 && total <= 0 {
		return fmt.Errorf("the shares of the classes are all 0")
	}
	return w.validateReplay()
}

func validateLengthsOf(what string, prompt, tokens *Length, s SLO) error {
	for key, l := range map[string]*Length{"prompt_length": prompt, "token_length": tokens} {
		switch {
		case l == nil:
			continue
		case len(l.Values) > 0:
			for i, v := range l.Values {
				if v < 1 {
					return fmt.Errorf("%s%s: values[%d] is %d: want 1 or more", what, key, i, v)
				}
			}
		default:
			if err := l.dist().Validate(); err != nil {
				return fmt.Errorf("%s%s: %w", what, key, err)
			}
		}
	}
	if !(s.TTFTMS >= 0 && s.TPOTMS >= 0) {
		return fmt.Errorf("%sslo: ttft_ms is %g and tpot_ms %g: want 0 or more", what, s.TTFTMS, s.TPOTMS)
	}
	return nil
}

// Arrivals returns the workload's requests in order of arrival.
func (w *Workload) Arrivals() []Request {
	if len(w.Replay) > 0 {
		return w.Replay
	}
	between := w.arrival().New(rand.New(rand.NewPCG(w.Seed, 0x6172726976616c73)))
	lengths := w.drawer()
	requests, at := make([]Request, w.Requests), 0.0
	for i := range requests {
		requests[i] = lengths.draw(i)
		if i < len(w.PromptLengths) {
			requests[i].Prompt = w.PromptLengths[i]
		}
		if w.Rate > 0 {
			at += between.Next()
			requests[i].Arrival = time.Duration(min(at, 1e9) * float64(time.Second))
		}
	}
	return requests
}

// A drawer draws the classes and lengths of requests.
type drawer struct {
	w       *Workload
	rng     *rand.Rand
	shares  float64
	prompts []func() int // by class
	tokens  []func() int
}

func (w *Workload) drawer() *drawer {
	d := &drawer{w: w, rng: rand.New(rand.NewPCG(w.Seed, 0x6c656e67746873))}
	classes := w.Classes
	if len(classes) == 0 {
		classes = []Class{{Share: 1}}
	}
	for _, c := range classes {
		d.shares += c.Share
		prompt, tokens := c.PromptLength, c.TokenLength
		if prompt == nil {
			prompt = w.PromptLength
		}
		if tokens == nil {
			tokens = w.TokenLength
		}
		d.prompts = append(d.prompts, prompt.source(d.rng, w.PromptTokens))
		d.tokens = append(d.tokens, tokens.source(d.rng, w.Tokens))
	}
	return d
}

// source returns how lengths of 1 to most are drawn; no Length is always the most.
func (l *Length) source(rng *rand.Rand, most int) func() int {
	if l == nil {
		return func() int { return most }
	}
	if len(l.Values) > 0 {
		return func() int { return min(l.Values[rng.IntN(len(l.Values))], most) }
	}
	s := l.dist().New(rng)
	return func() int { return int(min(max(math.Round(s.Next()), 1), float64(most))) }
}

func (d *drawer) draw(id int) Request {
	class := 0
	if len(d.w.Classes) > 1 {
		for x := d.rng.Float64() * d.shares; class < len(d.w.Classes)-1 && x >= d.w.Classes[class].Share; class++ {
			x -= d.w.Classes[class].Share
		}
	}
	return Request{ID: id, Class: class, Prompt: d.prompts[class](), Tokens: d.tokens[class]()}
}

// slo returns the objectives of a request's class.
func (w *Workload) slo(class int) SLO {
	if class < len(w.Classes) && w.Classes[class].SLO != (SLO{}) {
		return w.Classes[class].SLO
	}
	return w.SLO
}
