package llama_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/edgeshard/edgeshard/models"
)

// A reference is what a trusted implementation generates greedily.
type reference struct {
	Prompt      []int     `json:"prompt_tokens"`
	Generated   []int     `json:"generated"`
	FirstLogits []float64 `json:"first_logits"`
}

func readJSON(t testing.TB, path string, to any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatal(path, err)
	}
}

func open(t testing.TB, ref string) models.Checkpoint {
	t.Helper()
	m, err := models.Open(ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// stories opens the stories260K checkpoint of the test data outside the project.
func stories(t testing.TB) (m models.Checkpoint, folder string) {
	t.Helper()
	data := os.Getenv("EDGESHARD_TESTDATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	folder = filepath.Join(data, "stories260K")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no test data: %v", err)
	}
	return open(t, filepath.Join(folder, "stories260K-f32.gguf")), folder
}

// Every 2-way cut of a model, some 3-way ones, one shard per unit, and one
// node, which comes first.
func cutsOf(units int) [][]int {
	cuts := [][]int{nil}
	for u := 1; u < units; u++ {
		cuts = append(cuts, []int{u})
	}
	var every []int
	for u := 1; u < units; u++ {
		every = append(every, u)
	}
	return append(cuts, []int{1, 2}, []int{1, units / 2}, []int{2, units - 1}, []int{units / 3, units / 2}, every)
}

func TestStories260K(t *testing.T) {
	m, folder := stories(t)
	for n := 1; n <= 3; n++ {
		name := filepath.Join(folder, "reference", "p"+strconv.Itoa(n))
		var ref reference
		readJSON(t, name+".tokens.json", &ref)
		want := readLogits(t, name+".logits.f32", m.Config().Vocab)
		var alone [][]float32
		for _, cuts := range cutsOf(m.Config().Units()) {
			tokens, logits := newChain(t, m, 0, cuts...).greedy(t, 1, ref.Prompt, len(ref.Generated))
			if !slices.Equal(tokens, ref.Generated) {
				t.Errorf("p%d, cuts %v: tokens %v, want %v", n, cuts, tokens, ref.Generated)
			}
			if cuts == nil {
				alone = logits
				checkLogits(t, logits, want[len(ref.Prompt)-1:], 1e-4)
			}
			if !slices.EqualFunc(logits, alone, slices.Equal) {
				t.Errorf("p%d, cuts %v: other logits than on one node", n, cuts)
			}
		}
	}
}

func readLogits(t testing.TB, path string, vocab int) (rows [][]float32) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) > 0 {
		row := make([]float32, vocab)
		for i := range row {
			row[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		rows, b = append(rows, row), b[4*vocab:]
	}
	return rows
}

func checkLogits(t testing.TB, got, want [][]float32, bound float64) {
	t.Helper()
	for i, row := range got {
		for j, v := range row {
			if diff := math.Abs(float64(v) - float64(want[i][j])); !(diff <= bound) {
				t.Fatalf("step %d: logit %d is %g, want %g", i, j, v, want[i][j])
			}
		}
	}
}

func TestDemoModel(t *testing.T) {
	m := open(t, "demo")
	var refs []reference
	readJSON(t, filepath.Join("..", "..", "models", "demo", "reference.json"), &refs)
	for n, ref := range refs {
		var alone [][]float32
		all := cutsOf(m.Config().Units())
		if n > 1 {
			all = [][]int{nil, all[1+n]} // every cut has been tried on the first two prompts
		}
		for _, cuts := range all {
			tokens, logits := newChain(t, m, 0, cuts...).greedy(t, 1, ref.Prompt, len(ref.Generated))
			if !slices.Equal(tokens, ref.Generated) {
				t.Errorf("prompt %d, cuts %v: tokens %v, want %v", n, cuts, tokens, ref.Generated)
			}
			if cuts == nil {
				alone = logits
			}
			if !slices.EqualFunc(logits, alone, slices.Equal) {
				t.Errorf("prompt %d, cuts %v: other logits than on one node", n, cuts)
			}
		}
		for i, want := range ref.FirstLogits {
			if got := float64(alone[0][i]); math.Abs(got-want) > 1e-3 {
				t.Errorf("prompt %d: logit %d is %g, want %g", n, i, got, want)
			}
		}
	}
}
