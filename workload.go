package edgeshard

import "fmt"

// A Schedule is the order in which micro-batches pass through the pipeline.
type Schedule string

const (
	// Sequential runs one micro-batch to its last token before the next starts.
	Sequential Schedule = "sequential"
	// Bubbles starts token t+1 when all micro-batches of the batch have token t.
	Bubbles Schedule = "bubbles"
	// NoBubbles starts a micro-batch's next token as soon as its own token is back.
	NoBubbles Schedule = "no-bubbles"
)

// A Return is what the last stage sends to the source.
type Return string

const (
	ReturnToken  Return = "token"  // the sampled token id, 4 bytes a sequence
	ReturnLogits Return = "logits" // the logits, 4·Vocab bytes a sequence
)

// An Admission says when waiting requests may enter the pipeline.
type Admission string

const (
	BatchAdmission      Admission = "batch"      // a batch when the one before it has ended; the default
	ContinuousAdmission Admission = "continuous" // whenever fewer than Batch requests are in flight
)

// An Order says which waiting request is admitted first.
type Order string

const (
	FIFO          Order = "fifo"     // the one that came first; the default
	ShortestFirst Order = "shortest" // the one with the fewest prompt and generated tokens
)

// A Workload is what is asked of the model. The same keys in TOML and JSON.
type Workload struct {
	Requests     int      `json:"requests" toml:"requests"`
	PromptTokens int      `json:"prompt_tokens" toml:"prompt_tokens"` // P, of each request, or of the longest prompt
	Tokens       int      `json:"tokens" toml:"tokens"`               // G, generated for each request, at most
	Batch        int      `json:"batch" toml:"batch"`                 // B, sequences run together
	MicroBatch   int      `json:"micro_batch" toml:"micro_batch"`     // m, sequences of one pass
	Schedule     Schedule `json:"schedule" toml:"schedule"`
	Return       Return   `json:"return,omitempty" toml:"return"`

	Admission Admission `json:"admission,omitempty" toml:"admission"`
	Order     Order     `json:"order,omitempty" toml:"order"`
	// Rate is the requests that arrive each second; 0: all at the start. The times
	// between arrivals are exponential (a Poisson process), or of another
	// distribution with the coefficient of variation ArrivalCV.
	Rate      float64 `json:"rate_per_s,omitempty" toml:"rate_per_s"`
	Arrival   string  `json:"arrival,omitempty" toml:"arrival"` // poisson (the default), constant, uniform, gamma, weibull or lognormal
	ArrivalCV float64 `json:"arrival_cv,omitempty" toml:"arrival_cv"`
	Seed      uint64  `json:"seed,omitempty" toml:"seed"` // of arrivals, lengths and sampling

	// PromptLength and TokenLength draw each request's own lengths, of at most
	// PromptTokens and Tokens, which every request has without them.
	PromptLength *Length `json:"prompt_length,omitempty" toml:"prompt_length"`
	TokenLength  *Length `json:"token_length,omitempty" toml:"token_length"`
	// SLO is what a request is to keep to count for goodput; classes have their own.
	SLO     SLO     `json:"slo,omitzero" toml:"slo"`
	Classes []Class `json:"classes,omitempty" toml:"class"`

	// ReplayFile is a CSV file of requests to replay, read by ReadReplay into Replay.
	ReplayFile string    `json:"-" toml:"replay"`
	Replay     []Request `json:"replay,omitempty" toml:"-"`

	// Prompts are the texts of the first requests, and PromptLengths their
	// tokens; a request beyond them has PromptTokens of its own making.
	Prompts       []string `json:"prompts,omitempty" toml:"prompts"`
	PromptLengths []int    `json:"prompt_lengths,omitempty" toml:"-"`
	Temperature   float64  `json:"temperature,omitempty" toml:"temperature"` // 0: the most likely token
	TopP          float64  `json:"top_p,omitempty" toml:"top_p"`             // nucleus sampling; 0 or 1: off
	IgnoreEOS     bool     `json:"ignore_eos,omitempty" toml:"ignore_eos"`   // generate Tokens whatever the model says
}

// DefaultWorkload is the paper's: one request of 32 prompt and 96 generated tokens.
func DefaultWorkload() Workload {
	return Workload{Requests: 1, PromptTokens: 32, Tokens: 96, Batch: 1, MicroBatch: 1, Schedule: NoBubbles, Return: ReturnToken}
}

// Validate reports the first field that makes no sense.
func (w *Workload) Validate() error {
	for _, f := range []struct {
		key       string
		got, most int
	}{
		{"requests", w.Requests, 100_000_000}, {"prompt_tokens", w.PromptTokens, 1 << 20}, {"tokens", w.Tokens, 1 << 20},
		{"batch", w.Batch, 1 << 16}, {"micro_batch", w.MicroBatch, w.Batch},
	} {
		if f.got < 1 || f.got > f.most {
			return fmt.Errorf("workload: %s is %d: want 1 to %d", f.key, f.got, f.most)
		}
	}
	if err := w.validateChoices(); err != nil {
		return fmt.Errorf("workload: %w", err)
	}
	switch {
	case !(w.Rate >= 0 && w.Rate <= 1e9):
		return fmt.Errorf("workload: rate_per_s is %g: want 0 to 1e9", w.Rate)
	case !(w.Temperature >= 0 && w.Temperature <= 100):
		return fmt.Errorf("workload: temperature is %g: want 0 to 100", w.Temperature)
	case !(w.TopP >= 0 && w.TopP <= 1):
		return fmt.Errorf("workload: top_p is %g: want 0 to 1", w.TopP)
	case len(w.Prompts) > w.Requests:
		return fmt.Errorf("workload: %d prompts for %d requests", len(w.Prompts), w.Requests)
	}
	if err := w.validateDraws(); err != nil {
		return fmt.Errorf("workload: %w", err)
	}
	return w.validateLengths()
}

func (w *Workload) validateChoices() error {
	switch {
	case w.Schedule != Sequential && w.Schedule != Bubbles && w.Schedule != NoBubbles:
		return fmt.Errorf("schedule is %q: want %s, %s or %s", w.Schedule, Sequential, Bubbles, NoBubbles)
	case w.Return != ReturnToken && w.Return != ReturnLogits:
		return fmt.Errorf("return is %q: want %s or %s", w.Return, ReturnToken, ReturnLogits)
	case w.Admission != "" && w.Admission != BatchAdmission && w.Admission != ContinuousAdmission:
		return fmt.Errorf("admission is %q: want %s or %s", w.Admission, BatchAdmission, ContinuousAdmission)
	case w.Order != "" && w.Order != FIFO && w.Order != ShortestFirst:
		return fmt.Errorf("order is %q: want %s or %s", w.Order, FIFO, ShortestFirst)
	}
	return nil
}

func (w *Workload) validateLengths() error {
	if len(w.PromptLengths) > 0 && len(w.PromptLengths) != len(w.Prompts) {
		return fmt.Errorf("workload: %d prompt_lengths for %d prompts", len(w.PromptLengths), len(w.Prompts))
	}
	for i, n := range w.PromptLengths {
		if n < 1 || n > w.PromptTokens {
			return fmt.Errorf("workload: prompt_lengths[%d] is %d: want 1 to prompt_tokens (%d)", i, n, w.PromptTokens)
		}
	}
	return nil
}

// Onward tells whether the source goes on by itself from a micro-batch's pass to the
// next, while none of its requests ends: where nothing else is to be waited for.
func (w *Workload) Onward() bool {
	return w.Schedule != Bubbles || w.Admission != ContinuousAdmission && min(w.Batch, w.Requests) <= w.MicroBatch
}

// InFlight returns the most sequences whose KV caches exist at once.
func (w *Workload) InFlight() int {
	if w.Schedule == Sequential {
		return w.MicroBatch
	}
	return w.Batch
}

// Positions returns the KV cache positions a sequence may come to need, P + G.
func (w *Workload) Positions() int { return w.PromptTokens + w.Tokens }
