package models

import (
	"strings"
	"unicode/utf8"
)

// Decode returns the text of the tokens, which begin a text: see Decoder.
func (t *Tokenizer) Decode(ids []int) string {
	d := t.NewDecoder()
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(d.Next(id))
	}
	b.WriteString(d.Flush())
	return b.String()
}

// A Decoder turns a stream of tokens into text, whole characters at a time. The
// space that the tokenizer put before the text is left out. To decode a
// continuation, give it the prompt's tokens first and drop what they yield.
type Decoder struct {
	t       *Tokenizer
	started bool   // some text, or the leading space, has passed
	pending []byte // the beginning of a character
}

// NewDecoder returns a decoder for a text from its beginning.
func (t *Tokenizer) NewDecoder() *Decoder { return &Decoder{t: t} }

// Next returns the text that token id completes, "" while a character is not
// whole. Control tokens and ids that are no token have no text; bytes that are
// no UTF-8 each become U+FFFD.
func (d *Decoder) Next(id int) string {
	text := d.text(id)
	if len(d.pending) == 0 && utf8.ValidString(text) {
		return text
	}
	d.pending = append(d.pending, text...)
	return d.drain(false)
}

// Flush ends the text and returns what was pending of it.
func (d *Decoder) Flush() string { return d.drain(true) }

// drain takes whole characters off the pending bytes, and all of them if last is set.
func (d *Decoder) drain(last bool) string {
	var b strings.Builder
	for len(d.pending) > 0 && (last || utf8.FullRune(d.pending)) {
		r, n := utf8.DecodeRune(d.pending)
		b.WriteRune(r)
		d.pending = d.pending[n:]
	}
	return b.String()
}

// text returns the bytes that a token stands for at this point of the text.
func (d *Decoder) text(id int) string {
	if id < 0 || id >= len(d.t.pieces) {
		return ""
	}
	p := d.t.pieces[id]
	switch p.kind {
	case controlPiece:
		return ""
	case unknownPiece:
		d.started = true
		return " ⁇ " // as SentencePiece prints it
	case bytePiece:
		d.started = true
		return string([]byte{p.value})
	}
	text := strings.ReplaceAll(p.text, space, " ")
	if !d.started && text != "" {
		d.started = true
		if d.t.dummyPrefix || d.t.squeeze {
			text = strings.TrimPrefix(text, " ")
		}
	}
	return text
}

// Bytes returns what token id stands for within a text: perhaps only a part of a
// character, and "" for a control token.
func (t *Tokenizer) Bytes(id int) string { return (&Decoder{t: t, started: true}).text(id) }
