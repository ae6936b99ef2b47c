package exec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// A talk is a request as it goes: its tokens and its text. It outlives the
// workers that generate it.
type talk struct {
	request  edgeshard.Request
	name     string // in logs
	sampling Sampling
	prompt   []int
	said     []int // tokens generated so far
	decoder  *models.Decoder
	eos      int           // ends it; -1: nothing does
	at       time.Duration // of its last token, or of its arrival
	cached   int           // positions in the KV caches of the workers there are now
	entered  bool          // its first pass has entered
	ended    bool          // by the model
	unwanted atomic.Bool   // nobody waits for it any more

	reader *Generation
}

// newTalks makes the workload's requests, in order of arrival. Those without a
// text of their own have random tokens, drawn from the workload's seed.
func newTalks(p *edgeshard.Plan, t *models.Tokenizer) ([]*talk, error) {
	w := &p.Workload
	requests := w.Arrivals()
	talks := make([]*talk, len(requests))
	for i, r := range requests {
		var prompt []int
		if r.ID < len(w.Prompts) {
			prompt = t.Prompt(w.Prompts[r.ID])
		} else {
			prompt = randomPrompt(w, r, t)
		}
		r.Prompt = len(prompt)
		if err := checkPrompt(r, p); err != nil {
			return nil, err
		}
		talks[i] = newTalk(r, prompt, t, w.IgnoreEOS)
		talks[i].sampling = samplingOf(w, r.ID)
	}
	return talks, nil
}

func newTalk(r edgeshard.Request, prompt []int, t *models.Tokenizer, ignoreEOS bool) *talk {
	k := &talk{request: r, prompt: prompt, decoder: t.NewDecoder(), eos: t.EOS(), at: r.Arrival}
	if ignoreEOS {
		k.eos = -1
	}
	for _, id := range prompt {
		k.decoder.Next(id)
	}
	k.reader = newGeneration(k)
	return k
}

// checkPrompt makes sure that a request of the workload fits what the plan was
// made for.
func checkPrompt(r edgeshard.Request, p *edgeshard.Plan) error {
	if most := p.Model.Config.Context; r.Prompt+r.Tokens > most {
		return fmt.Errorf("prompt of request %d: %d tokens and %d to generate exceed the context of %s, %d positions",
			r.ID, r.Prompt, r.Tokens, p.Model.Config.Name, most)
	}
	if most := p.Workload.PromptTokens; r.Prompt > most {
		return fmt.Errorf("prompt of request %d: %d tokens: the plan is made for at most %d", r.ID, r.Prompt, most)
	}
	return nil
}

// randomPrompt returns a prompt of the workload's length: BOS and random tokens.
func randomPrompt(w *edgeshard.Workload, r edgeshard.Request, t *models.Tokenizer) []int {
	rng := rand.New(rand.NewPCG(w.Seed, uint64(r.ID)))
	ids := []int{t.BOS()}
	for len(ids) < r.Prompt {
		ids = append(ids, rng.IntN(t.Vocab()))
	}
	return ids
}

// uncached returns how many of its positions are in no KV cache yet.
func (k *talk) uncached() int { return len(k.prompt) + len(k.said) - k.cached }

// sequence returns the talk's part in a pass that is to cache n more positions.
func (k *talk) sequence(n int) *wire.Sequence {
	q := &wire.Sequence{
		Request: int64(k.request.ID), New: uint32(n), Past: uint32(k.cached), Sampling: k.sampling.message(),
	}
	if k.cached == 0 {
		q.Reserve, q.Name = uint32(k.request.Prompt+k.request.Tokens), k.name
	}
	if k.eos >= 0 {
		q.Until = uint32(k.eos) + 1
	}
	from := k.cached
	if from < len(k.prompt) {
		q.Tokens = uint32s(k.prompt[from:min(from+n, len(k.prompt))])
	}
	if from+n > len(k.prompt) {
		q.Tokens = slices.Concat(q.Tokens, uint32s(k.said[max(from-len(k.prompt), 0):from+n-len(k.prompt)]))
	}
	return q
}

func uint32s(ids []int) []uint32 {
	out := make([]uint32, len(ids))
	for i, id := range ids {
		out[i] = uint32(id)
	}
	return out
}

// take adds a generated token and returns the text it completes. At the last
// token that is all there is.
func (k *talk) take(id int) string {
	k.said = append(k.said, id)
	k.ended = id == k.eos
	text := k.decoder.Next(id)
	if k.over() {
		text += k.decoder.Flush()
	}
	return text
}

// left returns how many tokens it is yet to get, at most.
func (k *talk) left() int { return k.request.Prompt + k.request.Tokens - len(k.prompt) - len(k.said) }

// over reports that all tokens are there.
func (k *talk) over() bool {
	return k.ended || k.left() == 0
}
