package models

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLlama2Vectors holds the tokenizer to llama.cpp's own test vectors, for
// Llama 2's vocabulary.
func TestLlama2Vectors(t *testing.T) {
	path := external(t, "tokenizer/ggml-vocab-llama-spm.gguf")
	f, err := parseGGUF(readFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := ggufTokenizer(&ggufMeta{values: f.values})
	if err != nil {
		t.Fatal(err)
	}
	const end = "\n__ggml_vocab_test__\n" // of each input
	inputs := strings.Split(strings.TrimSuffix(string(readFile(t, path+".inp")), end), end)
	outputs := strings.Split(strings.TrimSuffix(string(readFile(t, path+".out")), "\n"), "\n")
	if len(inputs) != len(outputs) || len(inputs) < 40 {
		t.Fatalf("%d inputs and %d outputs", len(inputs), len(outputs))
	}
	for i, text := range inputs {
		want := parseIDs(t, outputs[i])
		got := tok.Encode(text, false)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Encode(%q):\n%s", text, diff)
		}
		if back := tok.Decode(got); back != text {
			t.Errorf("Decode(Encode(%q)) = %q", text, back)
		}
	}
}

func parseIDs(t *testing.T, line string) []int {
	t.Helper()
	var ids []int
	for _, field := range strings.Fields(line) {
		id, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// TestDemoReference holds the tokenizer to what SentencePiece made of the demo
// model's prompts and continuations.
func TestDemoReference(t *testing.T) {
	var cases []struct {
		Prompt       string
		PromptTokens []int `json:"prompt_tokens"`
		Generated    []int
		Text         string
	}
	if err := json.Unmarshal(readFile(t, "demo/reference.json"), &cases); err != nil {
		t.Fatal(err)
	}
	tok := mustTokenizer(t, mustOpen(t, Demo))
	for _, c := range cases {
		if diff := cmp.Diff(c.PromptTokens, tok.Encode(c.Prompt, true)); diff != "" {
			t.Errorf("Encode(%q):\n%s", c.Prompt, diff)
		}
		if got := tok.Decode(c.Generated); got != c.Text {
			t.Errorf("Decode = %q, want %q", got, c.Text)
		}
	}
}

// TestStories260K does the same for a vocabulary inside a GGUF file.
func TestStories260K(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, external(t, "stories260K/stories260K-f32.gguf")))
	for i := 1; i <= 3; i++ {
		base := external(t, fmt.Sprintf("stories260K/reference/p%d", i)+".prompt.txt")
		base = strings.TrimSuffix(base, ".prompt.txt")
		var want struct {
			PromptTokens []int `json:"prompt_tokens"`
			Generated    []int
		}
		if err := json.Unmarshal(readFile(t, base+".tokens.json"), &want); err != nil {
			t.Fatal(err)
		}
		prompt := strings.TrimSuffix(string(readFile(t, base+".prompt.txt")), "\n")
		if diff := cmp.Diff(want.PromptTokens, tok.Encode(prompt, true)); diff != "" {
			t.Errorf("Encode(%q):\n%s", prompt, diff)
		}
		text := strings.TrimSpace(string(readFile(t, base+".txt")))
		if got := tok.Decode(slices.Concat(want.PromptTokens, want.Generated)); got != text {
			t.Errorf("Decode = %q, want %q", got, text)
		}
	}
}

// anyText draws texts that the demo's vocabulary knows well, and others.
func anyText() *rapid.Generator[string] {
	words := rapid.SampledFrom([]string{" ", "  ", "the", "fox", "Once upon", "\n", "▁", "é", "🦙", "<s>", "<0x0A>", "a", "."})
	known := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(words, 0, 12).Draw(t, "words"), "")
	})
	return rapid.OneOf(known, rapid.String())
}

// TestMergeOracle compares the heap with a merger that looks at every pair
// each time.
func TestMergeOracle(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, Demo))
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		if diff := cmp.Diff(naiveEncode(tok, text), tok.Encode(text, true)); diff != "" {
			t.Fatalf("Encode(%q):\n%s", text, diff)
		}
	})
}

func naiveEncode(t *Tokenizer, text string) []int {
	symbols := strings.Split(t.normalize(text), "")
	for {
		best, score := -1, float32(0)
		for i := 1; i < len(symbols); i++ {
			id, ok := t.ids[symbols[i-1]+symbols[i]]
			if ok && (best < 0 || t.pieces[id].score > score) {
				best, score = i, t.pieces[id].score
			}
		}
		if best < 0 {
			break
		}
		symbols[best-1] += symbols[best]
		symbols = slices.Delete(symbols, best, best+1)
	}
	ids := []int{t.bos}
	for _, s := range symbols {
		if id, ok := t.ids[s]; ok {
			ids = append(ids, id)
			continue
		}
		for _, b := range []byte(s) {
			ids = append(ids, t.bytes[b])
		}
	}
	return ids
}

// TestRoundTrip: decoding gives the text back, streamed as well as at once, and
// no chunk of the stream is cut inside a character.
func TestRoundTrip(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, Demo))
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		ids := tok.Encode(text, true)
		want := strings.ReplaceAll(text, space, " ") // the vocabulary cannot tell them apart
		if got := tok.Decode(ids); got != want {
			t.Fatalf("Decode(Encode(%q)) = %q", text, got)
		}
		checkStream(t, tok, ids)
	})
}

// TestDecodeAnything does the same for tokens that no text gave.
func TestDecodeAnything(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, Demo))
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOf(rapid.IntRange(-2, tok.Vocab()+1)).Draw(t, "ids")
		checkStream(t, tok, ids)
	})
}

func checkStream(t *rapid.T, tok *Tokenizer, ids []int) {
	d := tok.NewDecoder()
	var streamed strings.Builder
	for _, id := range ids {
		chunk := d.Next(id)
		if !utf8.ValidString(chunk) {
			t.Fatalf("Next(%d) = %q after %q", id, chunk, streamed.String())
		}
		streamed.WriteString(chunk)
	}
	streamed.WriteString(d.Flush())
	if got, want := streamed.String(), tok.Decode(ids); got != want {
		t.Fatalf("streamed %q, decoded %q", got, want)
	}
}

func TestDecodeBytes(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, Demo))
	b := func(v byte) int { return tok.bytes[v] }
	for _, c := range []struct {
		name   string
		ids    []int
		chunks []string // of Next, then of Flush
	}{
		{"a character of four bytes", []int{b(0xF0), b(0x9F), b(0xA6), b(0x99)}, []string{"", "", "", "🦙", ""}},
		{"a character cut by the end", []int{b(0xF0), b(0x9F)}, []string{"", "", "\uFFFD\uFFFD"}},
		{"a character cut by a piece", []int{b(0xE2), tok.ids["a"]}, []string{"", "\uFFFDa", ""}},
		{"a stray continuation", []int{b(0x99)}, []string{"\uFFFD", ""}},
		{"the leading space", []int{tok.bos, tok.ids[space], tok.ids[space]}, []string{"", "", " ", ""}},
		{"a byte that is a space", []int{b(' '), tok.ids[space]}, []string{" ", " ", ""}},
		{"no token", []int{-1, tok.Vocab(), tok.eos}, []string{"", "", "", ""}},
		{"the unknown token", []int{tok.unk}, []string{" ⁇ ", ""}},
	} {
		d := tok.NewDecoder()
		var chunks []string
		for _, id := range c.ids {
			chunks = append(chunks, d.Next(id))
		}
		chunks = append(chunks, d.Flush())
		if diff := cmp.Diff(c.chunks, chunks); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// TestInvalidUTF8: each byte that is no UTF-8 becomes one replacement character.
func TestInvalidUTF8(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, Demo))
	got := tok.Decode(tok.Encode("a\xff\xfeb\xe2\x82", false))
	if want := "a\uFFFD\uFFFDb\uFFFD\uFFFD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestControlPiecesAreText: a prompt cannot smuggle control tokens in.
func TestControlPiecesAreText(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, Demo))
	ids := tok.Encode("<s></s><unk><0x41>", false)
	for _, id := range ids {
		if id == tok.bos || id == tok.eos || id == tok.unk || id == tok.bytes['A'] {
			t.Errorf("Encode gave %v, among them %q", ids, tok.Piece(id))
		}
	}
}

// TestLongText: a third of a megabyte comes back, where looking at every pair for
// each merge would take an hour, which no test has.
func TestLongText(t *testing.T) {
	tok := mustTokenizer(t, mustOpen(t, Demo))
	text := strings.Repeat("Once upon a time there was a fox. ", 10_000)
	ids := tok.Encode(text, true)
	if tok.Decode(ids) != text {
		t.Error("the text did not come back")
	}
}

func BenchmarkEncode(b *testing.B) {
	tok := mustTokenizer(b, mustOpen(b, Demo))
	text := strings.Repeat("Once upon a time there was a fox. ", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text, true)
	}
}

// A model made for prompts without BOS gets none.
func TestPromptBeginsAsTheModelSays(t *testing.T) {
	for _, adds := range []byte{0, 1} {
		data := synthetic(t, tiny, F32)
		after(data, "tokenizer.ggml.add_bos_token")[4] = adds
		c, err := Open(writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), data))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		tok, err := c.Tokenizer()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tok.Encode("ab", adds == 1), tok.Prompt("ab")); diff != "" {
			t.Errorf("add_bos_token %d: want (-), have (+):\n%s", adds, diff)
		}
	}
}
