package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// inputs are the flags that say what to plan or run.
type inputs struct {
	topology, model, precision string
	work                       workloadFlags
}

func (in *inputs) register(cmd *cobra.Command) {
	in.registerSources(cmd)
	in.work.register(cmd)
}

// registerSources registers the flags of topology and model alone.
func (in *inputs) registerSources(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&in.topology, "topology", "t", "", "topology: a built-in name or a TOML file")
	f.StringVarP(&in.model, "model", "m", "", "model: a built-in name, a .gguf file, a Hugging Face folder or a config in TOML")
	f.StringVar(&in.precision, "precision", "", "of the weights; default: the checkpoint's own, f32 for a built-in shape")
	choices(cmd, "topology", topologies.Names()...)
	choices(cmd, "model", models.Names()...)
	choices(cmd, "precision", precisionNames()...)
}

func precisionNames() []string {
	var names []string
	for _, p := range models.Precisions() {
		names = append(names, p.String())
	}
	return names
}

// resolve reads everything the flags name, and checks that it fits together: a
// plan yet without stages.
func (in *inputs) resolve() (edgeshard.Plan, error) {
	p, err := in.sources()
	if err != nil {
		return p, err
	}
	return p, in.work.apply(&p.Workload, &p.Model)
}

// sources reads topology and model: a plan yet without stages, with the default
// workload.
func (in *inputs) sources() (edgeshard.Plan, error) {
	p := edgeshard.Plan{Workload: edgeshard.DefaultWorkload()}
	if in.topology == "" || in.model == "" {
		return p, usagef("want a topology (-t) and a model (-m): see edgeshard topology list and edgeshard model list")
	}
	var err error
	if p.Model, err = in.modelRef(); err != nil {
		return p, err
	}
	if p.Topology, err = topologies.Load(in.topology); err != nil {
		return p, err
	}
	p.Profiles, err = edgeshard.LoadProfiles(p.Topology, p.Model.Config, filepath.Dir(in.topology))
	return p, err
}

func (in *inputs) modelRef() (edgeshard.ModelRef, error) {
	ref, err := edgeshard.LoadModel(in.model)
	if err != nil || in.precision == "" {
		return ref, err
	}
	p, err := models.ParsePrecision(in.precision)
	if err != nil {
		return ref, &usageError{err}
	}
	ref.Precision = p
	return ref, nil
}

// workloadFlags are the flags of a workload; those given replace what a file says.
type workloadFlags struct {
	file    string
	weights string // the checkpoint that is to run in place of the model
	prompts []string
	w       edgeshard.Workload
	cmd     *cobra.Command
}

func (wf *workloadFlags) register(cmd *cobra.Command) {
	f, d := cmd.Flags(), edgeshard.DefaultWorkload()
	f.StringVarP(&wf.file, "workload", "w", "", "workload: a TOML file; the flags below override it")
	f.IntVar(&wf.w.Requests, "requests", d.Requests, "number of requests")
	f.IntVar(&wf.w.PromptTokens, "prompt-tokens", d.PromptTokens, "prompt tokens of a request")
	f.IntVar(&wf.w.Tokens, "tokens", d.Tokens, "tokens to generate for a request")
	f.IntVar(&wf.w.Batch, "batch", d.Batch, "sequences run together")
	f.IntVar(&wf.w.MicroBatch, "micro-batch", d.MicroBatch, "sequences of one pass through the pipeline")
	f.Float64Var(&wf.w.Rate, "rate", 0, "requests that arrive each second (Poisson); 0: all at the start")
	f.StringVar((*string)(&wf.w.Schedule), "schedule", string(d.Schedule), "order of the micro-batches: sequential, bubbles or no-bubbles")
	f.StringVar((*string)(&wf.w.Return), "return", string(d.Return), "what the last stage sends to the source: token or logits")
	f.StringArrayVar(&wf.prompts, "prompt", nil, "text to continue; repeat it for several requests")
	f.Float64Var(&wf.w.Temperature, "temperature", 0, "of sampling; 0: the most likely token")
	f.Float64Var(&wf.w.TopP, "top-p", 0, "nucleus sampling; 0: off")
	f.Uint64Var(&wf.w.Seed, "seed", 0, "of arrivals and of sampling")
	f.BoolVar(&wf.w.IgnoreEOS, "ignore-eos", false, "generate all tokens, whatever the model says")
	choices(cmd, "schedule", string(edgeshard.Sequential), string(edgeshard.Bubbles), string(edgeshard.NoBubbles))
	choices(cmd, "return", string(edgeshard.ReturnToken), string(edgeshard.ReturnLogits))
	wf.registerArrivals(cmd)
	wf.cmd = cmd
}

// apply reads the workload file, if any, lays the flags over it, and counts the
// prompts' tokens by the model's tokenizer.
func (wf *workloadFlags) apply(w *edgeshard.Workload, ref *edgeshard.ModelRef) error {
	if wf.file != "" {
		if err := readWorkload(wf.file, w); err != nil {
			return err
		}
	}
	wf.override(w)
	if err := wf.overrideArrivals(w); err != nil {
		return err
	}
	if err := countPrompts(w, ref, wf.weights, wf.cmd.Flags().Changed("prompt-tokens")); err != nil {
		return err
	}
	if flags := wf.cmd.Flags(); !flags.Changed("requests") && len(w.Replay) == 0 {
		w.Requests = max(w.Requests, len(w.Prompts))
		if flags.Changed("batch") {
			w.Requests = max(w.Requests, w.Batch) // or there would be no such batch
		}
	}
	if err := w.Validate(); err != nil {
		return err
	}
	if need := w.Positions(); need > ref.Config.Context {
		return fmt.Errorf("%d prompt tokens and %d to generate exceed the context of %s, %d positions: shorten the prompt or lower --tokens",
			w.PromptTokens, w.Tokens, ref.Config.Name, ref.Config.Context)
	}
	return nil
}

func (wf *workloadFlags) override(w *edgeshard.Workload) {
	flags := wf.cmd.Flags()
	for name, set := range map[string]func(){
		"requests":      func() { w.Requests = wf.w.Requests },
		"prompt-tokens": func() { w.PromptTokens = wf.w.PromptTokens },
		"tokens":        func() { w.Tokens = wf.w.Tokens },
		"batch":         func() { w.Batch = wf.w.Batch },
		"micro-batch":   func() { w.MicroBatch = wf.w.MicroBatch },
		"rate":          func() { w.Rate = wf.w.Rate },
		"schedule":      func() { w.Schedule = wf.w.Schedule },
		"return":        func() { w.Return = wf.w.Return },
		"prompt":        func() { w.Prompts = wf.prompts },
		"temperature":   func() { w.Temperature = wf.w.Temperature },
		"top-p":         func() { w.TopP = wf.w.TopP },
		"seed":          func() { w.Seed = wf.w.Seed },
		"ignore-eos":    func() { w.IgnoreEOS = wf.w.IgnoreEOS },
	} {
		if flags.Changed(name) {
			set()
		}
	}
}

// countPrompts fills in the prompts' lengths, by the tokenizer of the weights that
// are to run: the model's own unless others are named. A prompt longer than the
// context says so here, with its own number.
func countPrompts(w *edgeshard.Workload, ref *edgeshard.ModelRef, weights string, fixed bool) error {
	if len(w.Prompts) == 0 {
		return nil
	}
	tok, err := tokenizer(cmp.Or(weights, ref.Ref))
	if err != nil {
		return err
	}
	w.PromptLengths = make([]int, len(w.Prompts))
	for i, text := range w.Prompts {
		n := len(tok.Prompt(text))
		if n > ref.Config.Context {
			return fmt.Errorf("prompt %d has %d tokens: the context of %s is %d positions", i+1, n, ref.Config.Name, ref.Config.Context)
		}
		w.PromptLengths[i] = n
	}
	if longest := slices.Max(w.PromptLengths); !fixed || w.PromptTokens < longest {
		w.PromptTokens = longest
	}
	return nil
}

func tokenizer(ref string) (*models.Tokenizer, error) {
	if !edgeshard.HasWeights(ref) {
		return nil, fmt.Errorf("model %s is a shape without a tokenizer: a prompt needs a checkpoint", ref)
	}
	return models.TokenizerOf(ref)
}

// readWorkload reads a workload file over w.
func readWorkload(file string, w *edgeshard.Workload) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := tomlfile.Decode(file, data, w); err != nil {
		return err
	}
	return w.ReadReplay(filepath.Dir(file))
}
