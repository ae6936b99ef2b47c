package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Tokenizer is a SentencePiece BPE tokenizer, as Llama 2 uses it. It is safe
// for concurrent use.
type Tokenizer struct {
	vocabulary
	ids   map[string]int // of the pieces that text can become
	bytes [256]int       // ids of the byte pieces
	// userLengths are the distinct lengths of user-defined pieces, longest first.
	userLengths []int
}

// A vocabulary is what a tokenizer file holds.
type vocabulary struct {
	pieces        []piece
	unk, bos, eos int
	byteFallback  bool // characters without a piece become byte pieces, not unk
	dummyPrefix   bool // a space is put before the text
	squeeze       bool // runs of spaces count as one, those at the ends as none
	addBOS        bool
}

// A piece is an entry of the vocabulary.
type piece struct {
	text  string
	score float32
	kind  pieceKind
	value byte // of a byte piece
}

// A pieceKind is SentencePiece's type of a piece; GGUF uses the same numbers.
type pieceKind uint8

const (
	normalPiece      pieceKind = iota + 1
	unknownPiece               // stands for what has no piece
	controlPiece               // never comes from text and decodes to nothing
	userDefinedPiece           // taken from the text before any merge
	unusedPiece                // merges, but is split again afterwards
	bytePiece                  // "<0x0A>", one byte
)

// space is how pieces spell a space.
const space = "▁"

func newTokenizer(v vocabulary) (*Tokenizer, error) {
	t := &Tokenizer{vocabulary: v, ids: make(map[string]int, len(v.pieces))}
	for i := range t.bytes {
		t.bytes[i] = -1
	}
	for id := range v.pieces {
		if err := t.enter(id, &v.pieces[id]); err != nil {
			return nil, err
		}
	}
	t.userLengths = userLengths(v.pieces)
	return t, t.check()
}

// enter makes a piece known by its text or its byte.
func (t *Tokenizer) enter(id int, p *piece) error {
	switch p.kind {
	case unknownPiece, controlPiece:
	case bytePiece:
		_, err := fmt.Sscanf(p.text, "<0x%X>", &p.value)
		if err != nil || p.text != fmt.Sprintf("<0x%02X>", p.value) || t.bytes[p.value] >= 0 {
			return fmt.Errorf("byte piece %d is %.99q: want <0x00> to <0xFF>, each once", id, p.text)
		}
		t.bytes[p.value] = id
	case normalPiece, userDefinedPiece, unusedPiece:
		if other, double := t.ids[p.text]; double {
			return fmt.Errorf("pieces %d and %d are both %.99q", other, id, p.text)
		}
		t.ids[p.text] = id
	default:
		return fmt.Errorf("piece %d (%.99q) is of type %d: want 1 to 6", id, p.text, p.kind)
	}
	return nil
}

// check makes sure that whatever text comes, there is an id for it.
func (t *Tokenizer) check() error {
	last := len(t.pieces) - 1
	switch {
	case t.byteFallback && slices.Contains(t.bytes[:], -1):
		return fmt.Errorf("no byte piece <0x%02X>: want all 256", slices.Index(t.bytes[:], -1))
	case !t.byteFallback && (t.unk < 0 || t.unk > last):
		return errors.New("neither byte pieces nor one for the unknown")
	case t.bos < 0 || t.bos > last:
		return fmt.Errorf("BOS is %d: want a token up to %d", t.bos, last)
	case t.eos < 0 || t.eos > last:
		return fmt.Errorf("EOS is %d: want a token up to %d", t.eos, last)
	}
	return nil
}

func userLengths(pieces []piece) []int {
	var lengths []int
	for _, p := range pieces {
		if p.kind == userDefinedPiece && p.text != "" && !slices.Contains(lengths, len(p.text)) {
			lengths = append(lengths, len(p.text))
		}
	}
	slices.Sort(lengths)
	slices.Reverse(lengths)
	return lengths
}

// Vocab returns the number of tokens.
func (t *Tokenizer) Vocab() int { return len(t.pieces) }

// BOS returns the token that begins a text.
func (t *Tokenizer) BOS() int { return t.bos }

// EOS returns the token that ends a text.
func (t *Tokenizer) EOS() int { return t.eos }

// Prompt encodes a text to be continued: behind BOS, unless the model was made for
// prompts without.
func (t *Tokenizer) Prompt(text string) []int { return t.Encode(text, t.addBOS) }

// Piece returns the text of a token as the vocabulary spells it, with ▁ for a
// space, or "" for an id that is no token.
func (t *Tokenizer) Piece(id int) string {
	if id < 0 || id >= len(t.pieces) {
		return ""
	}
	return t.pieces[id].text
}

// Encode returns the tokens of text, after BOS if bos is set. Pieces such as
// "</s>" that occur in the text are text, not control tokens. Bytes that are no
// UTF-8 each count as U+FFFD.
func (t *Tokenizer) Encode(text string, bos bool) []int {
	var ids []int
	if bos {
		ids = append(ids, t.bos)
	}
	m := newMerger(t, t.normalize(text))
	m.run()
	return m.tokens(ids)
}

// normalize spells text as the pieces do.
func (t *Tokenizer) normalize(text string) string {
	if t.squeeze {
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }), " ")
	}
	if text == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	if t.dummyPrefix {
		b.WriteString(space)
	}
	for _, r := range text {
		if r == ' ' {
			b.WriteString(space)
		} else {
			b.WriteRune(r)
		}
	}
	out := b.String()
	for t.squeeze && strings.HasSuffix(out, space) {
		out = strings.TrimSuffix(out, space)
	}
	return out
}

// symbolLength returns the length of the symbol that text begins with, a
// user-defined piece or a character, and whether it is the former.
func (t *Tokenizer) symbolLength(text string) (n int, user bool) {
	for _, n := range t.userLengths {
		if n > len(text) {
			continue
		}
		if id, ok := t.ids[text[:n]]; ok && t.pieces[id].kind == userDefinedPiece {
			return n, true
		}
	}
	_, n = utf8.DecodeRuneInString(text)
	return n, false
}

// appendUnknown appends the tokens of text that has no piece.
func (t *Tokenizer) appendUnknown(ids []int, text string) []int {
	if t.byteFallback {
		for i := range len(text) {
			ids = append(ids, t.bytes[text[i]])
		}
		return ids
	}
	if len(ids) > 0 && ids[len(ids)-1] == t.unk {
		return ids // a run of unknown characters is one token
	}
	return append(ids, t.unk)
}
