package exec

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A book knows which requests there are, how far each is and what enters next,
// as the Batcher says. It is pure: whoever drives it sends the passes it gives
// and tells it of those that come back. It outlives the workers: abort says that
// their KV caches are gone, and the passes after that compute them again.
type book struct {
	batcher *edgeshard.Batcher
	limit   int // new positions of a sequence in one pass

	talks   map[int]*talk
	flying  map[uint32]*flight
	again   []*flight // that enter before what the Batcher says, in order
	release []int64   // sequences that have ended: the next pass tells all stages
}

// A flight is a micro-batch's pass. Where it has more positions to cache than
// fit one pass it goes in parts, of which the last yields the tokens.
type flight struct {
	batch     *edgeshard.MicroBatch
	talks     []*talk       // in the part on its way
	last      bool          // of the parts
	ahead     uint32        // passes that the source may let follow by itself
	positions int           // new ones of a sequence in the part, at most
	rebuilds  bool          // computes KV caches that were there before
	began     time.Duration // when its first part entered; 0: it has not yet
}

func newBook(w *edgeshard.Workload) *book {
	return &book{
		batcher: edgeshard.NewBatcher(w), limit: w.PromptTokens,
		talks: make(map[int]*talk), flying: make(map[uint32]*flight),
	}
}

// add takes in a request.
func (b *book) add(k *talk) {
	b.talks[k.request.ID] = k
	b.batcher.Arrive(k.request)
}

// idle reports that no request is waiting or running.
func (b *book) idle() bool { return b.batcher.Idle() }

// next returns the pass to send now, nil if there is none.
func (b *book) next(now time.Duration) (*wire.Pass, *flight) {
	for {
		f := b.pop()
		if f == nil {
			return nil, nil
		}
		b.dropUnwanted(f.batch)
		if len(f.batch.Requests) > 0 {
			p := b.pass(f, now)
			p.Release, b.release = b.release, nil
			p.Ahead = f.ahead
			return p, f
		}
	}
}

func (b *book) pop() *flight {
	if len(b.again) > 0 {
		f := b.again[0]
		b.again = b.again[1:]
		return f
	}
	if m, ok := b.batcher.Next(); ok {
		return &flight{batch: m}
	}
	return nil
}

// dropUnwanted ends the requests of a micro-batch that nobody waits for.
func (b *book) dropUnwanted(m *edgeshard.MicroBatch) {
	for _, r := range slices.Clone(m.Requests) {
		if k := b.talks[r.ID]; k.unwanted.Load() {
			b.batcher.Drop(m, r.ID)
			b.forget(k)
		}
	}
}

// withdraw ends a request that nobody waits for, if it is in no micro-batch yet.
func (b *book) withdraw(k *talk) bool {
	if !b.batcher.Withdraw(k.request.ID) {
		return false
	}
	b.forget(k)
	return true
}

func (b *book) forget(k *talk) {
	if k.cached > 0 {
		b.release = append(b.release, int64(k.request.ID))
	}
	delete(b.talks, k.request.ID)
}

// pass makes the next part of a flight, which takes off.
func (b *book) pass(f *flight, now time.Duration) *wire.Pass {
	p := &wire.Pass{MicroBatch: uint32(f.batch.ID), Step: uint32(f.batch.Step)}
	b.takeOff(f, now)
	for _, k := range f.talks {
		n := min(k.uncached(), b.limit)
		p.Sequences = append(p.Sequences, k.sequence(n))
		k.cached += n
	}
	return p
}

// takeOff settles which talks the next part of a flight has.
func (b *book) takeOff(f *flight, now time.Duration) {
	if f.began == 0 {
		f.began = now
	}
	f.talks, f.last, f.positions = f.talks[:0], true, 0
	for _, r := range f.batch.Requests {
		k := b.talks[r.ID]
		f.last = f.last && k.uncached() <= b.limit
		f.rebuilds = f.rebuilds || k.cached == 0 && k.entered
	}
	for _, r := range f.batch.Requests {
		if k := b.talks[r.ID]; f.last || k.uncached() > b.limit {
			f.positions = max(f.positions, min(k.uncached(), b.limit))
			f.talks = append(f.talks, k)
		}
	}
	f.ahead = b.ahead(f)
	b.flying[uint32(f.batch.ID)] = f
}

// ahead returns how many passes the source may let follow a flight by itself: until
// the first of its requests has all its tokens.
func (b *book) ahead(f *flight) uint32 {
	if !f.last || !b.batcher.Onward() {
		return 0
	}
	left := f.talks[0].left()
	for _, k := range f.talks {
		left = min(left, k.left())
	}
	return uint32(max(left-1, 0))
}

// back takes a pass that is back at the source. It returns its flight, and the
// tokens it yields, by the flight's talks; none if parts are to follow.
func (b *book) back(p *wire.Pass) (*flight, []Token, error) {
	f := b.flying[p.GetMicroBatch()]
	if f == nil || len(p.GetSequences()) != len(f.talks) {
		return nil, nil, fmt.Errorf("a pass came back that was not sent: micro-batch %d", p.GetMicroBatch())
	}
	tokens := make([]Token, len(f.talks))
	for i, q := range p.GetSequences() {
		id := f.talks[i].request.ID
		if len(q.GetTokens()) != 1 || q.GetRequest() != int64(id) {
			return nil, nil, fmt.Errorf("a pass came back without the token of request %d", id)
		}
		tokens[i] = tokenOf(q)
	}
	delete(b.flying, p.GetMicroBatch())
	if !f.last {
		b.again = append(b.again, f)
		return f, nil, nil
	}
	return f, tokens, nil
}

// done tells that the talks of a flight have taken their tokens, and returns those
// that have ended: by the model, for want of tokens to come, or because nobody
// waits for them.
func (b *book) done(f *flight) []*talk {
	return b.end(f, func(id int) bool { return b.talks[id].ended || b.talks[id].unwanted.Load() })
}

func (b *book) end(f *flight, over func(id int) bool) (ended []*talk) {
	for _, r := range b.batcher.Done(f.batch, over) {
		k := b.talks[r.ID]
		ended = append(ended, k)
		b.forget(k)
	}
	return ended
}

// follow tells that the talks of a flight have taken their tokens, and that the
// source has let the next pass in by itself, with all of them.
func (b *book) follow(f *flight, now time.Duration) error {
	if f.ahead == 0 || len(b.end(f, func(id int) bool { return b.talks[id].ended })) > 0 {
		return fmt.Errorf("a pass followed by itself that may not: micro-batch %d", f.batch.ID)
	}
	b.batcher.Follow(f.batch)
	next := &flight{batch: f.batch, talks: f.talks}
	b.takeOff(next, now) // the source has made the pass itself
	for _, k := range next.talks {
		k.cached++
	}
	return nil
}

// abort throws away what is in the pipeline and returns what that was; all KV
// caches are gone.
func (b *book) abort() []*flight {
	var lost []*flight
	for id, f := range b.flying {
		lost = append(lost, f)
		delete(b.flying, id)
	}
	byBatch := func(x, y *flight) int { return cmp.Compare(x.batch.ID, y.batch.ID) }
	slices.SortFunc(lost, byBatch)
	for _, f := range lost {
		b.again = append(b.again, &flight{batch: f.batch})
	}
	slices.SortFunc(b.again, byBatch)
	for _, k := range b.talks {
		k.cached = 0
	}
	b.release = nil
	return lost
}

// left returns how many tokens its requests are still to get, at most.
func (b *book) left() (n int) {
	for _, k := range b.talks {
		n += k.left()
	}
	return n
}

// cached returns the lengths of the KV caches there are.
func (b *book) cached() (positions []int) {
	for _, k := range b.talks {
		if k.cached > 0 {
			positions = append(positions, k.cached)
		}
	}
	return positions
}

// rests reports that no request has begun, so that changing workers costs none
// anything.
func (b *book) rests() bool { return len(b.flying) == 0 && len(b.again) == 0 && len(b.cached()) == 0 }
