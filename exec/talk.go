package exec

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// A talk is a request as it goes: its tokens and its text.
type talk struct {
	request  edgeshard.Request
	prompt   []int
	sampling Sampling
	decoder  *models.Decoder
	eos      int           // ends it; -1: nothing does
	last     int           // token
	at       time.Duration // of its last token, or of its arrival
	ended    bool          // by the model
}

// newTalks makes the workload's requests, in order of arrival. Those without a
// text of their own have random tokens, drawn from the workload's seed.
func newTalks(p *edgeshard.Plan, t *models.Tokenizer) ([]*talk, error) {
	w := &p.Workload
	requests := w.Arrivals()
	talks := make([]*talk, len(requests))
	for i, r := range requests {
		k := &talk{request: r, decoder: t.NewDecoder(), eos: t.EOS(), at: r.Arrival, sampling: samplingOf(w, r.ID)}
		if w.IgnoreEOS {
			k.eos = -1
		}
		if r.ID < len(w.Prompts) {
			k.prompt = t.Encode(w.Prompts[r.ID], true)
		} else {
			k.prompt = randomPrompt(w, r, t)
		}
		k.request.Prompt = len(k.prompt)
		if err := k.check(p); err != nil {
			return nil, err
		}
		for _, id := range k.prompt {
			k.decoder.Next(id)
		}
		talks[i] = k
	}
	return talks, nil
}

// check makes sure that the request fits what the plan was made for.
func (k *talk) check(p *edgeshard.Plan) error {
	n, w := len(k.prompt), &p.Workload
	if most := p.Model.Config.Context; n+k.request.Tokens > most {
		return fmt.Errorf("prompt of request %d: %d tokens and %d to generate exceed the context of %s, %d positions",
			k.request.ID, n, k.request.Tokens, p.Model.Config.Name, most)
	}
	if n > w.PromptTokens {
		return fmt.Errorf("prompt of request %d: %d tokens: the plan is made for at most %d", k.request.ID, n, w.PromptTokens)
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

// take adds a generated token and returns the text it completes. At the last
// token that is all there is.
func (k *talk) take(id int, step int) string {
	k.last = id
	k.ended = id == k.eos
	text := k.decoder.Next(id)
	if k.ended || step+1 == k.request.Tokens {
		text += k.decoder.Flush()
	}
	return text
}
