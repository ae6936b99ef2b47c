package edgeshard

import (
	"strings"
	"testing"

	"github.com/edgeshard/edgeshard/models"
)

// The keys of llama-bench's JSON, with figures made up.
const benchJSON = `[
  {"build_commit": "8cf427ff", "build_number": 5163, "cpu_info": "AMD Ryzen 7 7800X3D 8-Core Processor", "gpu_info": "NVIDIA GeForce RTX 4080",
   "backends": "CUDA", "model_filename": "models/llama-2-7b.Q4_0.gguf", "model_type": "llama 7B Q4_0", "model_size": 3825807360,
   "model_n_params": 6738415616, "n_batch": 2048, "n_ubatch": 512, "n_threads": 8, "cpu_mask": "0x0", "poll": 50, "type_k": "f16",
   "n_gpu_layers": 99, "split_mode": "layer", "tensor_split": "0.00", "n_prompt": 1024, "n_gen": 0, "n_depth": 0,
   "test_time": "2025-04-24T11:58:50Z", "avg_ns": 400000000, "stddev_ns": 4000000, "avg_ts": 2560.0, "stddev_ts": 25.0,
   "samples_ns": [396000000, 404000000], "samples_ts": [2585.8, 2534.6]},
  {"build_commit": "8cf427ff", "cpu_info": "AMD Ryzen 7 7800X3D 8-Core Processor", "gpu_info": "NVIDIA GeForce RTX 4080", "backends": "CUDA",
   "model_filename": "models/llama-2-7b.Q4_0.gguf", "model_type": "llama 7B Q4_0", "model_n_params": 6738415616, "n_ubatch": 512, "n_threads": 8,
   "n_gpu_layers": 99, "n_prompt": 0, "n_gen": 128, "n_depth": 512, "test_time": "2025-04-24T11:58:51Z", "avg_ns": 1280000000, "stddev_ns": 12800000},
  {"backends": "CUDA", "gpu_info": "NVIDIA GeForce RTX 4080", "model_type": "llama 7B Q4_0", "n_threads": 8, "n_gpu_layers": 99,
   "n_prompt": 512, "n_gen": 128, "avg_ns": 1500000000}
]`

// A test's time comes back as the sum over the units of its passes.
func TestImportLlamaBench(t *testing.T) {
	c, _ := models.Builtin("llama2-7b")
	p, err := ImportLlamaBench("dir/rtx4080.json", []byte(benchJSON), c)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "rtx4080" || p.Precision != "q4_0" || p.CPU != "NVIDIA GeForce RTX 4080" || p.Kernel != "llama.cpp CUDA" || len(p.Points) != 6 || p.Spread.Run != 0.01 {
		t.Errorf("profile %+v", p)
	}
	timer, err := p.timer(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		pass models.Pass
		ms   float64
	}{
		{models.Pass{Batch: 1, Tokens: 512, Past: 256}, 200}, // two passes of n_ubatch in 400 ms
		{models.Pass{Batch: 1, Tokens: 1, Past: 576}, 10},
	} {
		sum := 0.0
		for u := range c.Units() {
			sum += 1e3 * timer.seconds(u, want.pass)
		}
		if sum < want.ms-1e-9 || sum > 1.002*want.ms { // the head never takes less in a larger pass
			t.Errorf("%+v takes %g ms, want %g", want.pass, sum, want.ms)
		}
	}
	lines := strings.ReplaceAll(strings.Trim(benchJSON, "[]\n "), "},\n", "}\n")
	q, err := ImportLlamaBench("dir/rtx4080.jsonl", []byte(lines), c)
	if err != nil || len(q.Points) != 6 {
		t.Errorf("as JSON lines: %+v, %v", q, err)
	}
}

func TestImportLlamaBenchFaults(t *testing.T) {
	c, _ := models.Builtin("llama2-7b")
	other, _ := models.Builtin("llama2-13b")
	for _, f := range []struct {
		name, old, new, want string
		model                models.Config
	}{
		{"empty", benchJSON, "[]", "b.json: no tests: want the output of llama-bench -o json", c},
		{"cut short", benchJSON, benchJSON[:90], "unexpected EOF", c},
		{"another model", "", "", "b.json: model_n_params is 6738415616: the model llama2-13b has 13015864320 parameters", other},
		{"no precision", "llama 7B Q4_0", "llama 7B IQ2_XS", `b.json: model_type is "llama 7B IQ2_XS": want one that ends in a precision such as Q4_0`, c},
		{"no time", `"avg_ns": 1280000000`, `"avg_ns": 0`, "b.json: test 2: want avg_ns above 0 and n_prompt or n_gen, found 0, 0 and 128", c},
		{"two machines", `"n_threads": 8,
   "n_gpu_layers": 99, "n_prompt": 0`, `"n_threads": 4,
   "n_gpu_layers": 99, "n_prompt": 0`, "want one model and machine", c},
	} {
		_, err := ImportLlamaBench("b.json", []byte(strings.Replace(benchJSON, f.old, f.new, 1)), f.model)
		if f.old == "" {
			_, err = ImportLlamaBench("b.json", []byte(benchJSON), f.model)
		}
		if f.name == "two machines" || f.name == "no precision" {
			_, err = ImportLlamaBench("b.json", []byte(strings.ReplaceAll(benchJSON, f.old, f.new)), f.model)
		}
		if err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: got %v\nwant %s", f.name, err, f.want)
		}
	}
}

func FuzzImportLlamaBench(f *testing.F) {
	f.Add([]byte(benchJSON))
	c, _ := models.Builtin("llama2-7b")
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := ImportLlamaBench("f", data, c); err == nil && p.Validate() != nil {
			t.Errorf("an invalid profile: %v", p.Validate())
		}
	})
}
