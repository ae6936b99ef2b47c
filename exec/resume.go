package exec

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/journal"
)

// A Journal is where a run keeps its tokens, so that they outlive it. A run of a
// Runner that has one goes on where the journal ends; see package journal.
type Journal struct {
	file  *journal.Journal
	state *journal.State
}

// CreateJournal makes a journal for a run of p in a folder.
func CreateJournal(dir string, p *edgeshard.Plan) (*Journal, error) {
	plan, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	s := &journal.State{Header: journal.Header{Coordinator: rand.Text(), Plan: plan}}
	f, err := journal.Create(dir, s.Header)
	if err != nil {
		return nil, err
	}
	return &Journal{file: f, state: s}, nil
}

// OpenJournal opens a folder's journal, and returns the plan of its run.
func OpenJournal(dir string) (*Journal, *edgeshard.Plan, error) {
	f, s, err := journal.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	p, err := edgeshard.ParsePlan("journal "+dir, s.Plan)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return &Journal{file: f, state: s}, p, nil
}

// Close writes all to the disk.
func (j *Journal) Close() error { return j.file.Close() }

// coordinator returns the secret under which workers keep what they hold.
func (j *Journal) coordinator() string {
	if j == nil {
		return rand.Text()
	}
	return j.state.Coordinator
}

// restore gives requests the tokens that the journal has of them, tells of these,
// and returns the requests that go on.
func (e *Engine) restore(talks []*talk) ([]*talk, error) {
	j := e.options.Journal
	if j == nil {
		return talks, nil
	}
	known := make(map[int]bool)
	var going []*talk
	for _, k := range talks {
		known[k.request.ID] = true
		said := j.state.Tokens[k.request.ID]
		if len(said) > k.request.Tokens || j.state.Ended[k.request.ID] && len(said) == 0 {
			return nil, fmt.Errorf("journal: request %d has %d tokens: want 1 to %d", k.request.ID, len(said), k.request.Tokens)
		}
		for _, id := range said {
			e.obs.Text(k.request.ID, id, k.take(id))
		}
		if n := len(said); n > 0 {
			k.request.Prompt, k.request.Tokens, k.request.Arrival = k.request.Prompt+n, k.request.Tokens-n, 0
			k.at = 0
		}
		if k.over() {
			k.reader.end(nil)
			continue
		}
		going = append(going, k)
	}
	for id := range j.state.Tokens {
		if !known[id] {
			return nil, fmt.Errorf("journal: request %d is none of its plan's", id)
		}
	}
	return going, nil
}

// record keeps the tokens of a pass before anyone is told of them.
func (e *Engine) record(f *flight, tokens []Token) {
	j := e.options.Journal
	if j == nil || len(tokens) == 0 {
		return
	}
	for i, k := range f.talks {
		if !k.unwanted.Load() {
			j.file.Token(k.request.ID, tokens[i].ID)
		}
	}
	e.recorded(j.file.Flush())
}

// recorded logs the first error of the journal; the run goes on without it.
func (e *Engine) recorded(err error) {
	if err != nil && !e.unrecorded {
		e.unrecorded = true
		e.cluster.log.Error("the run goes on, but cannot be resumed", "err", err)
	}
}
