package edgeshard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard/internal/sample"
	"github.com/edgeshard/edgeshard/models"
)

// llamaBench is a test of llama-bench, as it writes it with -o json or -o jsonl.
// Of its many keys these count.
type llamaBench struct {
	Commit   string  `json:"build_commit"`
	CPU      string  `json:"cpu_info"`
	GPU      string  `json:"gpu_info"`
	Backends string  `json:"backends"`
	File     string  `json:"model_filename"`
	Type     string  `json:"model_type"`
	Params   int64   `json:"model_n_params"`
	UBatch   int     `json:"n_ubatch"`
	Threads  int     `json:"n_threads"`
	Layers   int     `json:"n_gpu_layers"`
	Prompt   int     `json:"n_prompt"`
	Tokens   int     `json:"n_gen"`
	Depth    int     `json:"n_depth"`
	Time     string  `json:"test_time"`
	AvgNS    float64 `json:"avg_ns"`
	StddevNS float64 `json:"stddev_ns"`
	Samples  []int64 `json:"samples_ns"`
}

// ImportLlamaBench makes a profile of a model from the JSON, or JSON lines, that
// llama-bench writes; file is for messages. Tests of a prompt (-p) become prefill
// points, those of generation (-n) decode points, at the depth they were run (-d);
// those of both together (-pg) say nothing of either and are left out. llama-bench
// times whole passes: the units share each in the proportion of their work, decode
// by the bytes they read, prefill by their operations.
func ImportLlamaBench(file string, data []byte, c models.Config) (*Profile, error) {
	tests, err := parseLlamaBench(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	first := &tests[0]
	precision, err := first.precision()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := first.check(c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p := &Profile{
		Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), Model: c.Name, Units: c.Units(),
		Provenance: fmt.Sprintf("llama-bench of %s (%s), build %s, %d layers on a GPU", filepath.Base(first.File), first.Type, first.Commit, first.Layers),
		Origin:     Origin{CPU: first.hardware(), Kernel: "llama.cpp " + first.Backends, Threads: first.Threads, Precision: precision.String(), Date: first.Time},
	}
	var spreads []float64
	for i := range tests {
		t := &tests[i]
		if err := t.same(first); err != nil {
			return nil, fmt.Errorf("%s: test %d: %w", file, i+1, err)
		}
		if t.Prompt > 0 == (t.Tokens > 0) {
			continue
		}
		p.Points = append(p.Points, t.points(c, precision)...)
		spreads = append(spreads, t.StddevNS/t.AvgNS)
	}
	if len(p.Points) == 0 {
		return nil, fmt.Errorf("%s: no test is of a prompt or of generation alone (-p, -n)", file)
	}
	p.Spread.Run = math.Round(1e4*sample.Median(spreads)) / 1e4
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// parseLlamaBench reads an array of tests, or one test after another.
func parseLlamaBench(data []byte) ([]llamaBench, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var tests []llamaBench
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		if err := dec.Decode(&tests); err != nil {
			return nil, fmt.Errorf("line %d: %w", lineAt(data, err, dec.InputOffset()), err)
		}
	} else {
		for {
			var t llamaBench
			err := dec.Decode(&t)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", lineAt(data, err, dec.InputOffset()), err)
			}
			tests = append(tests, t)
		}
	}
	if len(tests) == 0 {
		return nil, errors.New("no tests: want the output of llama-bench -o json")
	}
	for i, t := range tests {
		if !(t.AvgNS > 0) || t.Prompt < 0 || t.Tokens < 0 || t.Depth < 0 || t.Prompt+t.Tokens == 0 {
			return nil, fmt.Errorf("test %d: want avg_ns above 0 and n_prompt or n_gen, found %g, %d and %d", i+1, t.AvgNS, t.Prompt, t.Tokens)
		}
	}
	return tests, nil
}

// precision reads the type of the weights from the model's, such as
// "llama 7B Q4_0" or "llama 7B mostly Q8_0"; of mixtures, such as Q4_K - Medium,
// it is the one that most matrices have.
func (t *llamaBench) precision() (models.Precision, error) {
	words := strings.Fields(strings.ToLower(t.Type))
	for _, p := range models.Precisions() {
		if slices.Contains(words, p.String()) {
			return p, nil
		}
	}
	return 0, fmt.Errorf("model_type is %q: want one that ends in a precision such as Q4_0", t.Type)
}

func (t *llamaBench) hardware() string {
	if t.GPU != "" && t.Layers > 0 {
		return t.GPU
	}
	return t.CPU
}

// check makes sure that the tests were of the model they are taken for.
func (t *llamaBench) check(c models.Config) error {
	var n int64
	for u := range c.Units() {
		n += c.Params(u)
	}
	if t.Params > 0 && math.Abs(float64(t.Params-n)) > 0.05*float64(n) {
		return fmt.Errorf("model_n_params is %d: the model %s has %d parameters", t.Params, c.Name, n)
	}
	return nil
}

// same makes sure that a test is of the same model and machine as another.
func (t *llamaBench) same(o *llamaBench) error {
	if t.Type != o.Type || t.Threads != o.Threads || t.Layers != o.Layers || t.hardware() != o.hardware() {
		return fmt.Errorf("%s on %s with %d threads and %d layers on a GPU: the first is of %s on %s with %d and %d: want one model and machine",
			t.Type, t.hardware(), t.Threads, t.Layers, o.Type, o.hardware(), o.Threads, o.Layers)
	}
	return nil
}

// points returns a point for each kind of unit. A prompt longer than n_ubatch was
// several passes, which count as equal ones half-way.
func (t *llamaBench) points(c models.Config, w models.Precision) []Point {
	passes, pass := t.Tokens, models.Pass{Batch: 1, Tokens: 1, Past: t.Depth + t.Tokens/2}
	if t.Prompt > 0 {
		passes = 1
		if t.UBatch > 0 {
			passes = (t.Prompt + t.UBatch - 1) / t.UBatch
		}
		pass = models.Pass{Batch: 1, Tokens: (t.Prompt + passes - 1) / passes}
		pass.Past = t.Depth + (t.Prompt-pass.Tokens)/2
	}
	work := func(u int) float64 {
		if t.Prompt > 0 {
			return float64(c.FLOPs(u, pass))
		}
		return float64(c.ReadBytes(u, w, pass))
	}
	total := 0.0
	for u := range c.Units() {
		total += work(u)
	}
	ms := t.AvgNS / float64(passes) / 1e6
	var points []Point
	for _, r := range [][2]int{{0, 1}, {1, c.Layers + 1}, {c.Layers + 1, c.Units()}} {
		points = append(points, Point{From: r[0], To: r[1], Batch: 1, Tokens: pass.Tokens, Past: pass.Past, MS: ms * work(r[0]) / total})
	}
	return points
}
