package models

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

// encodeSentencePiece writes a vocabulary as a ModelProto.
func encodeSentencePiece(v vocabulary) []byte {
	varint := func(b []byte, field protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
	}
	message := func(b []byte, field protowire.Number, m []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
	}
	var b []byte
	for _, p := range v.pieces {
		m := message(nil, protoPieceText, []byte(p.text))
		m = protowire.AppendFixed32(protowire.AppendTag(m, protoPieceScore, protowire.Fixed32Type), math.Float32bits(p.score))
		b = message(b, protoPieces, varint(m, protoPieceKind, uint64(p.kind)))
	}
	trainer := varint(nil, protoModelType, protoBPE)
	b = message(b, protoTrainer, varint(trainer, protoByteFallback, protowire.EncodeBool(v.byteFallback)))
	normalizer := varint(nil, protoDummyPrefix, protowire.EncodeBool(v.dummyPrefix))
	return message(b, protoNormalizer, varint(normalizer, protoSqueeze, protowire.EncodeBool(v.squeeze)))
}

// vocabularies are variations of the demo's, for the sake of all that the
// format can say.
func vocabularies(t *testing.T) map[string]vocabulary {
	t.Helper()
	change := func(f func(v *vocabulary)) vocabulary {
		v := mustTokenizer(t, mustOpen(t, Demo)).vocabulary
		f(&v)
		return v
	}
	return map[string]vocabulary{
		"as trained":       change(func(*vocabulary) {}),
		"no dummy prefix":  change(func(v *vocabulary) { v.dummyPrefix = false }),
		"spaces squeezed":  change(func(v *vocabulary) { v.squeeze = true }),
		"squeezed, bare":   change(func(v *vocabulary) { v.squeeze, v.dummyPrefix = true, false }),
		"no byte fallback": change(withoutBytes),
		"unused pieces": change(func(v *vocabulary) {
			for id := 300; id < 700; id += 3 {
				v.pieces[id].kind = unusedPiece
			}
		}),
		"user-defined pieces": change(func(v *vocabulary) {
			for i, text := range []string{"fox", "foxes", "[x]", "é", "▁the"} {
				v.pieces = append(v.pieces, piece{text: text + string(rune('α'+i)), kind: userDefinedPiece})
			}
			v.pieces[400].kind = userDefinedPiece
		}),
	}
}

func withoutBytes(v *vocabulary) {
	v.byteFallback = false
	for id := range v.pieces {
		if v.pieces[id].kind == bytePiece {
			v.pieces[id].kind = controlPiece
		}
	}
}

// TestSentencePieceOracle holds encoding and decoding to SentencePiece's own
// programs, for every variation of the vocabulary.
func TestSentencePieceOracle(t *testing.T) {
	for _, program := range []string{"spm_encode", "spm_decode"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs SentencePiece's programs: %v", err)
		}
	}
	for name, v := range vocabularies(t) {
		t.Run(name, func(t *testing.T) {
			data := encodeSentencePiece(v)
			tok, err := parseSentencePiece(data)
			if err != nil {
				t.Fatal(err)
			}
			model := writeFile(t, filepath.Join(t.TempDir(), "tokenizer.model"), data)
			checkEncode(t, tok, model)
			checkDecode(t, tok, model)
		})
	}
}

func checkEncode(t *testing.T, tok *Tokenizer, model string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	lines := make([]string, 3000)
	for i := range lines {
		lines[i] = randomLine(rng, tok)
	}
	out := filter(t, lines, "spm_encode", "--model="+model, "--output_format=id")
	for i, line := range lines {
		if diff := cmp.Diff(parseIDs(t, out[i]), tok.Encode(line, false)); diff != "" {
			t.Fatalf("Encode(%q):\n%s", line, diff)
		}
	}
}

// randomLine mixes pieces, spaces, characters of all planes and bytes that are
// no UTF-8.
func randomLine(rng *rand.Rand, tok *Tokenizer) string {
	var b strings.Builder
	for range rng.IntN(14) {
		switch rng.IntN(8) {
		case 0:
			b.WriteString(strings.Repeat(" ", 1+rng.IntN(4)))
		case 1:
			b.WriteRune(rune(0x20 + rng.IntN(0x2800)))
		case 2:
			b.WriteRune(rune(0x10000 + rng.IntN(0x100000)))
		case 3:
			b.WriteByte(byte(0x80 + rng.IntN(0x80)))
		default:
			b.WriteString(strings.ReplaceAll(tok.Piece(rng.IntN(tok.Vocab())), space, " "))
		}
	}
	return b.String()
}

func checkDecode(t *testing.T, tok *Tokenizer, model string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	lines, ids := make([]string, 3000), make([][]int, 3000)
	for i := range lines {
		for len(ids[i]) < 1+rng.IntN(12) {
			if id := rng.IntN(tok.Vocab()); id != tok.bytes['\n'] {
				ids[i] = append(ids[i], id)
			}
		}
		lines[i] = strings.Trim(fmt.Sprint(ids[i]), "[]")
	}
	out := filter(t, lines, "spm_decode", "--model="+model, "--input_format=id")
	for i := range lines {
		if got := tok.Decode(ids[i]); got != out[i] {
			t.Fatalf("Decode(%v) = %q, want %q", ids[i], got, out[i])
		}
	}
}

// filter runs a program that writes a line for each it reads.
func filter(t *testing.T, lines []string, program string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	out := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(out) != len(lines) {
		t.Fatalf("%s wrote %d lines for %d", program, len(out), len(lines))
	}
	return out
}
