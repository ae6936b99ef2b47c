package models

import "container/heap"

// A merger turns a text into pieces: starting from characters, it joins the
// neighbours whose union is the piece of the highest score, the leftmost of
// equals first, until no union is a piece. The symbols are a linked list and
// the candidates a heap, so that n characters take O(n log n).
type merger struct {
	t       *Tokenizer
	text    string
	symbols []symbol
	queue   candidates
	// split remembers of what an unused piece was made.
	split map[string]int
}

// A symbol is text[from:to], linked with its neighbours by their index or -1.
// One that was merged into its left neighbour is empty.
type symbol struct {
	from, to   int
	prev, next int
	frozen     bool // a user-defined piece: never merged
}

// A candidate is a merge of two neighbours into text of that many bytes. It is
// stale when either has changed since, and then the length differs.
type candidate struct {
	score       float32
	left, right int
	length      int
}

type candidates []candidate

func (c candidates) Len() int      { return len(c) }
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c candidates) Less(i, j int) bool {
	if c[i].score != c[j].score {
		return c[i].score > c[j].score
	}
	return c[i].left < c[j].left
}
func (c *candidates) Push(x any) { *c = append(*c, x.(candidate)) }
func (c *candidates) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	*c = (*c)[:last]
	return x
}

func newMerger(t *Tokenizer, text string) *merger {
	m := &merger{t: t, text: text, split: make(map[string]int)}
	for at := 0; at < len(text); {
		n, user := t.symbolLength(text[at:])
		i := len(m.symbols)
		m.symbols = append(m.symbols, symbol{from: at, to: at + n, prev: i - 1, next: i + 1, frozen: user})
		at += n
	}
	if last := len(m.symbols) - 1; last >= 0 {
		m.symbols[last].next = -1
	}
	return m
}

func (m *merger) run() {
	for i := 1; i < len(m.symbols); i++ {
		m.propose(i-1, i)
	}
	for m.queue.Len() > 0 {
		c := heap.Pop(&m.queue).(candidate)
		left, right := &m.symbols[c.left], &m.symbols[c.right]
		if left.from == left.to || right.from == right.to || right.to-left.from != c.length {
			continue
		}
		left.to, right.from = right.to, right.to
		left.next = right.next
		if right.next >= 0 {
			m.symbols[right.next].prev = c.left
		}
		m.propose(left.prev, c.left)
		m.propose(c.left, left.next)
	}
}

// propose queues the merge of two neighbours, if it makes a piece.
func (m *merger) propose(left, right int) {
	if left < 0 || right < 0 || m.symbols[left].frozen || m.symbols[right].frozen {
		return
	}
	l, r := m.symbols[left], m.symbols[right]
	union := m.text[l.from:r.to]
	id, ok := m.t.ids[union]
	if !ok {
		return
	}
	if m.t.pieces[id].kind == unusedPiece {
		m.split[union] = l.to - l.from
	}
	heap.Push(&m.queue, candidate{m.t.pieces[id].score, left, right, len(union)})
}

// tokens appends the ids of the symbols.
func (m *merger) tokens(ids []int) []int {
	for _, s := range m.symbols {
		if s.from < s.to {
			ids = m.appendPiece(ids, m.text[s.from:s.to])
		}
	}
	return ids
}

// appendPiece appends the id of a piece's text; an unused piece is taken apart.
func (m *merger) appendPiece(ids []int, text string) []int {
	id, ok := m.t.ids[text]
	if !ok {
		return m.t.appendUnknown(ids, text)
	}
	if n, unused := m.split[text]; unused {
		return m.appendPiece(m.appendPiece(ids, text[:n]), text[n:])
	}
	return append(ids, id)
}
