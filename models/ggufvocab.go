package models

import (
	"errors"
	"fmt"
)

// ggufTokenizer reads the vocabulary that a GGUF file carries.
func ggufTokenizer(m *ggufMeta) (*Tokenizer, error) {
	if model := m.string("tokenizer.ggml.model"); m.err == nil && model != "llama" {
		return nil, fmt.Errorf("tokenizer.ggml.model is %.99q: want \"llama\", SentencePiece BPE", model)
	}
	texts := m.strings("tokenizer.ggml.tokens")
	scores := m.floats("tokenizer.ggml.scores")
	kinds := m.ints("tokenizer.ggml.token_type")
	v := vocabulary{
		unk:          m.intOr("tokenizer.ggml.unknown_token_id", 0),
		bos:          m.intOr("tokenizer.ggml.bos_token_id", 1),
		eos:          m.intOr("tokenizer.ggml.eos_token_id", 2),
		addBOS:       m.boolOr("tokenizer.ggml.add_bos_token", true),
		dummyPrefix:  m.boolOr("tokenizer.ggml.add_space_prefix", true),
		squeeze:      m.boolOr("tokenizer.ggml.remove_extra_whitespaces", false),
		byteFallback: true,
	}
	switch {
	case m.err != nil:
		return nil, m.err
	case m.has("tokenizer.ggml.precompiled_charsmap"):
		return nil, errors.New("normalization by a character map is not supported: want the identity, as Llama 2 has it")
	case len(scores) != len(texts) || len(kinds) != len(texts):
		return nil, fmt.Errorf("%d tokens, %d scores and %d token types: want as many of each", len(texts), len(scores), len(kinds))
	}
	for i, text := range texts {
		v.pieces = append(v.pieces, piece{text: text, score: scores[i], kind: pieceKind(min(max(kinds[i], 0), 255))})
	}
	return newTokenizer(v)
}
