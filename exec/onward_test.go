package exec

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

const (
	bookEOS    = 7
	bookTokens = 6 // of a request at most
)

// drawBook draws a book of four requests.
func drawBook(t *rapid.T) *book {
	w := edgeshard.Workload{
		Requests: 4, PromptTokens: 4, Tokens: bookTokens, Batch: 4, MicroBatch: rapid.IntRange(1, 4).Draw(t, "micro-batch"),
		Schedule: rapid.SampledFrom([]edgeshard.Schedule{edgeshard.Sequential, edgeshard.Bubbles, edgeshard.NoBubbles}).Draw(t, "schedule"),
	}
	b := newBook(&w)
	for id := range w.Requests {
		n := rapid.IntRange(1, w.Tokens).Draw(t, "tokens")
		b.add(&talk{request: edgeshard.Request{ID: id, Prompt: 3, Tokens: n}, prompt: make([]int, 3), eos: bookEOS})
	}
	return b
}

// TestOnward: passes that the source lets in by itself are those that the
// coordinator would have sent, whenever it is halted and whichever requests end, so
// that each gets its tokens one by one.
func TestOnward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, said := drawBook(t), make(map[int]int)
		var source onward
		var flying []*wire.Pass
		ahead := 0
		for !b.idle() || len(flying) > 0 {
			for p, _ := b.next(1); p != nil; p, _ = b.next(1) {
				source.allow(p)
				flying = append(flying, p)
			}
			if rapid.IntRange(0, 9).Draw(t, "halt") == 0 {
				source.halt()
			}
			p := flying[0]
			flying = flying[1:]
			for _, q := range p.GetSequences() {
				checkHistory(t, b.talks[int(q.GetRequest())], q)
				q.Tokens = []uint32{rapid.Uint32Range(bookEOS, bookEOS+5).Draw(t, "token")}
				said[int(q.GetRequest())]++
			}
			if next := source.next(p); next != nil {
				p.Onward = true
				flying = append(flying, next)
				ahead++
			}
			backOf(t, b, p)
		}
		for id, n := range said {
			if n > bookTokens || n == 0 {
				t.Fatalf("request %d got %d tokens", id, n)
			}
		}
		t.Logf("%d passes by itself", ahead)
	})
}

// checkHistory wants a sequence's tokens to be those of its talk at its positions.
func checkHistory(t *rapid.T, k *talk, q *wire.Sequence) {
	history := append(append([]int{}, k.prompt...), k.said...)
	if int(q.GetPast()+q.GetNew()) != len(history) || k.cached != len(history) {
		t.Fatalf("positions %d to %d of request %d, which has %d, %d of them cached", q.GetPast(), q.GetPast()+q.GetNew(), q.GetRequest(), len(history), k.cached)
	}
	for i, id := range q.GetTokens() {
		if history[int(q.GetPast())+i] != int(id) {
			t.Fatalf("token %d at position %d: want %d", id, int(q.GetPast())+i, history[int(q.GetPast())+i])
		}
	}
}

// backOf gives a pass that is back to the book, as the engine does.
func backOf(t *rapid.T, b *book, p *wire.Pass) {
	f, tokens, err := b.back(p)
	if err != nil {
		t.Fatal(err)
	}
	for i, token := range tokens {
		k := f.talks[i]
		k.said = append(k.said, token.ID)
		k.ended = token.ID == k.eos
	}
	if !p.GetOnward() {
		b.done(f)
		return
	}
	if err := b.follow(f, 1); err != nil {
		t.Fatal(err)
	}
}

// TestOnwardUnasked: a source that goes on where it may not is found out.
func TestOnwardUnasked(t *testing.T) {
	b, talks := bookOf(2, 2)
	p, f := b.next(1)
	for _, q := range p.GetSequences() {
		q.Tokens = []uint32{1}
	}
	if _, _, err := b.back(p); err != nil {
		t.Fatal(err)
	}
	talks[0].ended = true
	if b.follow(f, 1) == nil {
		t.Error("a pass follows one that ended a request")
	}
}
