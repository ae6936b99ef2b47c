package models

import (
	"fmt"
	"slices"
)

// synthControls and the 256 byte pieces begin a synthetic vocabulary.
var synthControls = []piece{
	{text: "<unk>", kind: unknownPiece}, {text: "<s>", kind: controlPiece}, {text: "</s>", kind: controlPiece},
}

// synthVocabulary makes up cfg.Vocab pieces: controls, bytes, printable ASCII,
// then pronounceable syllables and chains of them, with and without a leading
// space, the frequent ones short as in a trained vocabulary. Every chain can be
// reached by merges of shorter ones.
func synthVocabulary(cfg Config) (vocabulary, error) {
	v := vocabulary{
		pieces: slices.Clone(synthControls), unk: 0, bos: 1, eos: 2,
		byteFallback: true, dummyPrefix: true, addBOS: true,
	}
	for b := range 256 {
		v.pieces = append(v.pieces, piece{text: fmt.Sprintf("<0x%02X>", b), kind: bytePiece})
	}
	if cfg.Vocab < len(v.pieces) {
		return v, fmt.Errorf("model %s: vocab is %d: want at least %d for a synthetic vocabulary, controls and bytes", cfg.Name, cfg.Vocab, len(v.pieces))
	}
	add := func(text string) bool {
		if len(v.pieces) == cfg.Vocab {
			return false
		}
		// As in a trained vocabulary, the score is minus the rank of the merge.
		v.pieces = append(v.pieces, piece{text: text, score: float32(259 - len(v.pieces)), kind: normalPiece})
		return true
	}
	if addCharacters(add) {
		addChains(add)
	}
	return v, nil
}

// addCharacters adds the single characters; like addChains it ends when add
// says that the vocabulary is full.
func addCharacters(add func(string) bool) bool {
	if !add(space) {
		return false
	}
	for c := '!'; c <= '~'; c++ {
		if !add(string(c)) {
			return false
		}
	}
	return true
}

// addChains adds chains of 1, 2, 3… syllables, each with and without a space
// before it.
func addChains(add func(string) bool) {
	var syllables []string
	for _, onset := range "tnshrdlcmfpgwbvkjzxqy" {
		for _, vowel := range "eaoiu" {
			syllables = append(syllables, string(onset)+string(vowel))
		}
	}
	for chains := []string{""}; ; {
		var longer []string
		for _, head := range chains {
			for _, tail := range syllables {
				if !add(head+tail) || !add(space+head+tail) {
					return
				}
				longer = append(longer, head+tail)
			}
		}
		chains = longer
	}
}

// putVocabulary enters the vocabulary as llama.cpp wants it.
func putVocabulary(h *ggufHeader, v vocabulary) {
	texts := make([]string, len(v.pieces))
	scores := make([]float32, len(v.pieces))
	kinds := make([]int32, len(v.pieces))
	for i, p := range v.pieces {
		texts[i], scores[i], kinds[i] = p.text, p.score, int32(p.kind)
	}
	h.put("tokenizer.ggml.model", "llama")
	h.put("tokenizer.ggml.tokens", texts)
	h.put("tokenizer.ggml.scores", scores)
	h.put("tokenizer.ggml.token_type", kinds)
	h.put("tokenizer.ggml.unknown_token_id", uint32(v.unk))
	h.put("tokenizer.ggml.bos_token_id", uint32(v.bos))
	h.put("tokenizer.ggml.eos_token_id", uint32(v.eos))
	h.put("tokenizer.ggml.add_bos_token", v.addBOS)
	h.put("tokenizer.ggml.add_space_prefix", v.dummyPrefix)
}
